"use strict";

/* Apart from unship.cjs, since a Node that is too old cannot even read an `import`. */
import("../dist/agent/main.js").catch((error) => {
  process.stderr.write(
    error.code === "ERR_MODULE_NOT_FOUND" && !require("node:fs").existsSync(`${__dirname}/../dist`)
      ? "unship is not built: run `npm run build` in its folder first.\n"
      : `${error.stack}\n`,
  );
  process.exit(2);
});
