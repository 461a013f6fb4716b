import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { BundleFiles } from "./observe/bundle.ts";

/** Files longer than this are written gzipped. */
const GZIP_FROM = 16_384;

/** Writes a bundle's files into a folder; text that is long is gzipped, `.json` never is. */
export function writeBundle(directory: string, files: BundleFiles): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const zipped = name.endsWith(".jsonl") && text.length > GZIP_FROM;
    writeFileSync(join(directory, zipped ? `${name}.gz` : name), zipped ? gzipSync(text) : text);
  }
}
