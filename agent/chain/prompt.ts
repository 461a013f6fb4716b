import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { brief } from "./compaction.ts";
import type { StepTask } from "./reasoner.ts";

const FOLDER = join(import.meta.dirname, "../prompts");

/** Our own files only: a step's name comes from a configuration and must not become a path. */
async function promptFile(name: string): Promise<string> {
  return (await readFile(join(FOLDER, `${name}.md`), "utf8")).trim();
}

/** What stays the same for every turn of a step: who the model is, what text is data, and what the step asks. */
export async function systemPrompt({ spec }: StepTask): Promise<string> {
  return `${await promptFile("system")}\n\n${await promptFile(spec?.prompt ?? "custom-step")}`;
}

/** The step as it is put: the configuration's words, what is known, what is missing, why an answer was refused. */
export function taskPrompt({ step, action, prompt, spec, known, lacks, refused }: StepTask): string {
  // A step of the six is told what it builds on; one that the file invented, everything.
  const told = Object.entries(known).filter(([name]) => spec === null || Object.hasOwn(spec.needs, name));
  const parts = [
    `Step: ${step}\nAs configured: ${JSON.stringify(action)}`,
    ...(prompt === undefined ? [] : [`The question:\n${prompt}`]),
    `Known from earlier steps (checked):\n${JSON.stringify(brief(Object.fromEntries(told)))}`,
    ...(lacks.length === 0 ? [] : [`Missing:\n${lacks.map((one) => `- ${one}`).join("\n")}`]),
    ...(refused.length === 0
      ? []
      : [
          `Your last answer was refused. Correct it or leave the claim out:\n${refused.map((one) => `- ${one}`).join("\n")}`,
        ]),
  ];
  return parts.join("\n\n");
}
