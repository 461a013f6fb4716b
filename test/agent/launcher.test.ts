import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const BIN = join(import.meta.dirname, "../../bin");
const INSTALL = /^unship needs Node\.js 22\.19 or newer, and this is 18\.19\.0: install [^\n]+\.\n$/;

let root: string;
/** Away from the checkout, beside which a newer Node is installed. */
let launcher: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unship-launcher-"));
  // The launcher reads its Node's version: what it would see where an old one comes first on PATH.
  const old = 'Object.defineProperty(process, "versions", { value: { node: "18.19.0" } });';
  writeFileSync(join(root, "old.cjs"), old);
  cpSync(BIN, join(root, "package/bin"), { recursive: true });
  launcher = join(root, "package/bin/unship.cjs");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A program that calls itself this version of Node, and says with what it was started. */
function nodeAt(file: string, version: string, body = 'echo "started by VERSION:" "$@"; exit 7'): string {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo v${version}; exit 0; fi\n${body.replace("VERSION", version)}\n`,
  );
  chmodSync(path, 0o755);
  return dirname(path);
}

function launch(environment: Record<string, string>, ...given: readonly string[]) {
  return spawnSync(process.execPath, ["--require", join(root, "old.cjs"), launcher, ...given], {
    env: { HOME: join(root, "nobody"), PATH: "/usr/sbin", ...environment },
    encoding: "utf8",
  });
}

describe("the command of the package, started by a Node that is too old", () => {
  it("is written in syntax that the oldest Node reads", () => {
    const parser = "internal/deps/acorn/acorn/dist/acorn"; // Node's own copy
    const read = `require("${parser}").parse(require("node:fs").readFileSync(process.argv[1], "utf8"), { ecmaVersion: 5, allowHashBang: true })`;
    execFileSync(process.execPath, ["--expose-internals", "-e", read, launcher], { stdio: "pipe" });
    expect(() =>
      execFileSync(process.execPath, ["--expose-internals", "-e", read, join(BIN, "start.cjs")], {
        stdio: "pipe",
      }),
    ).toThrow(/SyntaxError/);
  });

  it("says in one sentence what to install where no other is found", () => {
    const { status, stderr, stdout } = launch({});
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(INSTALL);
  });

  it("takes no other that is too old as well, nor one that does not answer", () => {
    const bin = nodeAt("older/node", "22.18.9");
    const broken = nodeAt("broken/node", "24.0.0");
    writeFileSync(join(broken, "node"), "#!/bin/sh\nexit 1\n");
    const { status, stderr } = launch({ PATH: `${bin}:${broken}` });
    expect(status).toBe(2);
    expect(stderr).toMatch(INSTALL);
  });

  it.each([
    ["PATH, behind the old one", (bin: string) => ({ PATH: `${nodeAt("path-old/node", "18.1.0")}:${bin}` }), "p/node"],
    ["PATH under Debian's name", (bin: string) => ({ PATH: bin }), "debian/nodejs"],
    ["npm, beside the package", () => ({}), "node_modules/node/bin/node"],
    ["nvm", () => ({ HOME: join(root, "h1") }), "h1/.nvm/versions/node/v22.19.0/bin/node"],
    ["fnm", () => ({ FNM_DIR: join(root, "fnm") }), "fnm/node-versions/v22.19.0/installation/bin/node"],
    ["Volta", () => ({ HOME: join(root, "h2") }), "h2/.volta/tools/image/node/22.19.0/bin/node"],
    ["asdf", () => ({ HOME: join(root, "h3") }), "h3/.asdf/installs/nodejs/22.19.0/bin/node"],
    ["mise", () => ({ HOME: join(root, "h4") }), "h4/.local/share/mise/installs/node/22.19.0/bin/node"],
    ["n", () => ({ N_PREFIX: join(root, "n-prefix") }), "n-prefix/n/versions/node/22.19.0/bin/node"],
  ])("hands over to a newer one that it finds by %s, arguments and exit code included", (_, environment, file) => {
    const { status, stdout } = launch(environment(nodeAt(file, "22.19.0")), "status", "--json", "a b");
    expect({ status, stdout }).toEqual({ status: 7, stdout: `started by 22.19.0: ${launcher} status --json a b\n` });
  });

  it("passes a signal on, and ends as its program ends", async () => {
    const bin = nodeAt(
      "waits/node",
      "24.1.0",
      'trap "echo ended; exit 3" TERM; echo ready; while :; do sleep 0.05; done',
    );
    // The program runs, and is asked to end, while its launcher is still busy with starting it.
    writeFileSync(
      join(root, "busy.cjs"),
      `const { spawn } = require("node:child_process");
      require("node:child_process").spawn = (...given) => {
        const child = spawn(...given);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
        return child;
      };`,
    );
    const required = ["old.cjs", "busy.cjs"].flatMap((file) => ["--require", join(root, file)]);
    const child = spawn(process.execPath, [...required, launcher, "watch"], {
      env: { PATH: `${bin}:/usr/bin:/bin`, HOME: root },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (said === "") child.kill("SIGTERM");
      said += text;
    });
    await once(child, "close");
    expect({ said, code: child.exitCode }).toEqual({ said: "ready\nended\n", code: 3 });
  });
});
