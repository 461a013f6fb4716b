import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";

export const CHECKOUT = join(import.meta.dirname, "../..");

/** What `npm pack` makes of the checkout, put into `folder`; returns the tarball's name in it. */
export function packInto(folder: string): string {
  // `--foreground-scripts`: a build that fails says why.
  execFileSync("npm", ["pack", "--silent", "--foreground-scripts", "--pack-destination", folder], {
    cwd: CHECKOUT,
    stdio: "pipe",
  });
  const [tarball] = globSync("unship-*.tgz", { cwd: folder });
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${folder}`);
  return tarball;
}
