/** The folder of this package, whether its sources run or its built files. */
export const PACKAGE: URL = new URL('../', import.meta.url);
