import { extname, join } from "node:path";

/** The command line's own program beside this file: TypeScript in a checkout, JavaScript in the installed package. */
export const MAIN = join(import.meta.dirname, `../../agent/main${extname(import.meta.filename)}`);
