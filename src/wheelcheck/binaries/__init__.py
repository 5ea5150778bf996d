"""Headers of compiled files: Mach-O, ELF and PE."""
