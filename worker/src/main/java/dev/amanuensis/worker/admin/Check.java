package dev.amanuensis.worker.admin;

/**
 * Something that must be so before a worker takes jobs.
 *
 * @param detail what is there, or what is missing
 */
public record Check(String name, boolean ok, String detail) {}
