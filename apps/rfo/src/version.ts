/** The version of RFO itself; the installer, the data directory and `rfo --version` go by it. */
export const programVersion = '0.1.0';
