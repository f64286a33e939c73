/**
 * Native memory that is used again and again: pools of page-aligned slots under one byte cap, lent
 * as leases. Knows nothing of jobs or stages.
 */
package dev.amanuensis.worker.buffers;
