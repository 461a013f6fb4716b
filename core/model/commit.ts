import { z } from "zod";

/** What is kept of a commit's diff at most, characters: an excerpt, enough to read what changed. */
export const DIFF_CHARS = 20_000;

/**
 * One commit that a change brought, as its source has it. It is told to people and models and never weighed by the core, and no
 * store keeps it: what it says is read again from its source.
 */
export const Commit = z.strictObject({
  sha: z.string().min(1),
  message: z.string(),
  author: z.string().optional(),
  at: z.number().optional().describe("When it was made, Unix ms"),
  files: z.array(z.string()).optional().describe("Paths that it changed"),
  diff: z.string().optional().describe(`An excerpt of its diff, at most ${DIFF_CHARS} characters`),
});
export type Commit = Readonly<z.infer<typeof Commit>>;
