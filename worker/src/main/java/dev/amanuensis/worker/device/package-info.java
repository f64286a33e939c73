/** What computes: the devices that run encoder windows, and the model around them. */
package dev.amanuensis.worker.device;
