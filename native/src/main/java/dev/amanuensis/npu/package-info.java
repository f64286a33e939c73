/**
 * What surrounds an NPU on a machine: its compiled programs, and whether everything it needs is
 * there.
 */
package dev.amanuensis.npu;
