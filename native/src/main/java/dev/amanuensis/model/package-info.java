/**
 * Where the Whisper weights come from: locating, fetching, verifying and converting them. Start at
 * {@link dev.amanuensis.model.ModelStore}.
 */
package dev.amanuensis.model;
