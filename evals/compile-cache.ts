import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/**
 * The folder in which this process keeps compiled code (`NODE_COMPILE_CACHE`), for programs that it starts from the same
 * sources; undefined where it keeps none. Node's own answer names a folder in it, of its version.
 */
export function compileCache(): string | undefined {
  const ofThisVersion = getCompileCacheDir();
  return ofThisVersion === undefined ? undefined : dirname(ofThisVersion);
}

/** The same as a variable of a started program's environment, which holds nothing else of this process's. */
export function compileCacheVariable(): { readonly NODE_COMPILE_CACHE?: string } {
  const folder = compileCache();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
