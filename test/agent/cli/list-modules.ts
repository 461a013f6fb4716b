import { registerHooks } from "node:module";

/** Preloaded by a test: writes a line for each module that the process loads from a file. */
registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) process.stderr.write(`loaded ${url}\n`);
    return next(url, context);
  },
});
