import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageManifest } from "./service/manifest.ts";

/** Every image of the sandbox lies in this repository: "shop/cart:1.1.0". */
const REPOSITORY = "shop";
const REFERENCE = /^shop\/([a-z0-9-]+):([A-Za-z0-9][\w.-]{0,127})$/;

/** A registry of images: one manifest a tag, in a directory. A tag says nothing about what is in it. */
export interface ImageRegistry {
  /** Stores the image under its service and version; returns its reference. A tag that exists is never overwritten. */
  push(manifest: ImageManifest): string;
  /** The manifest behind a reference; undefined where there is none. */
  pull(reference: string): ImageManifest | undefined;
  /** Every tag of a service, in the order of their names. */
  tags(service: string): readonly string[];
}

/** @param directory made if missing */
export function openRegistry(directory: string): ImageRegistry {
  mkdirSync(directory, { recursive: true });
  const fileOf = (service: string, tag: string) => join(directory, `${service}@${tag}.json`);
  return {
    push(manifest) {
      const reference = imageReference(manifest.service, manifest.version);
      if (!REFERENCE.test(reference)) throw new Error(`"${reference}" is no image reference; want shop/NAME:TAG`);
      writeFileSync(fileOf(manifest.service, manifest.version), JSON.stringify(manifest), { flag: "wx" });
      return reference;
    },
    pull(reference) {
      const [, service, tag] = REFERENCE.exec(reference) ?? [];
      if (service === undefined || tag === undefined) return undefined;
      try {
        const manifest: ImageManifest = JSON.parse(readFileSync(fileOf(service, tag), "utf8"));
        return manifest;
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
    },
    tags(service) {
      const prefix = `${service}@`;
      return readdirSync(directory)
        .filter((file) => file.startsWith(prefix))
        .map((file) => file.slice(prefix.length, -".json".length))
        .sort();
    },
  };
}

export function imageReference(service: string, tag: string): string {
  return `${REPOSITORY}/${service}:${tag}`;
}
