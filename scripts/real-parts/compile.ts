import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GO, type GoPart, type ModuleFiles } from "./catalog.ts";

/** The version of Go that is installed, "1.26.8"; null without one. */
export function goVersion(): string | null {
  const { stdout } = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  return /go(\d+\.\d+(\.\d+)?)/.exec(stdout ?? "")?.[1] ?? null;
}

/** Throws where Go is missing or older than what the pinned modules ask for. */
export function requireGo(): void {
  const version = goVersion();
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = GO.split(".").map(Number);
  if (version !== null && (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor))) return;
  throw new Error(`it takes Go ${GO} or newer (https://go.dev/dl/); here is ${version ?? "none"}`);
}

/** Compiles one part from its pinned module into `to`. The versions are those of its go.mod and go.sum and no others. */
export function compile({ name, package: what, ldflags = "" }: GoPart, to: string): void {
  execFileSync(
    "go",
    ["build", "-trimpath", "-mod=readonly", "-ldflags", `-s -w ${ldflags}`, "-o", join(to, name), what],
    {
      cwd: join(import.meta.dirname, "go", name),
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "" },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
}

/** Copies files of a module, as the Go module proxy serves it, into the folder of parts. */
export function takeFiles({ module, folder, files, to: into }: ModuleFiles, to: string): void {
  const told = execFileSync("go", ["mod", "download", "-json", module], { cwd: tmpdir(), encoding: "utf8" });
  const { Dir } = JSON.parse(told) as { readonly Dir: string };
  const from = join(Dir, folder);
  mkdirSync(join(to, into), { recursive: true });
  for (const file of readdirSync(from).filter((one) => files.test(one)))
    cpSync(join(from, file), join(to, into, file), { mode: 0 });
}
