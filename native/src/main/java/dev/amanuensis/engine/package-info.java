/**
 * The Whisper engine for Java: a typed face over the C ABI in {@code capi/amanuensis.h}. Start at
 * {@link dev.amanuensis.engine.Engine}. No JNA type leaves this package.
 *
 * <p>Audio-sized data lives in {@link dev.amanuensis.engine.NativeBuffer}s or direct byte buffers
 * of the caller; calls allocate nothing of that size. A closed handle refuses calls with
 * IllegalStateException. Closing while a call runs is safe: the native object is freed when the
 * call returns.
 */
package dev.amanuensis.engine;
