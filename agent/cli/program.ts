import { Command, InvalidArgumentError, Option } from "commander";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Composition, ExitCode } from "./composition.ts";

/** What lives beside the product and is only handed in: the sandbox, the demo, replays. */
export interface Lab {
  readonly demo: (to: Composition, options: Record<string, unknown>, abort: AbortSignal) => Promise<ExitCode>;
  readonly sandbox: (to: Composition, options: Record<string, unknown>, abort: AbortSignal) => Promise<ExitCode>;
  readonly replay: (
    to: Composition,
    paths: readonly string[],
    options: Record<string, unknown>,
    abort: AbortSignal,
  ) => Promise<ExitCode>;
  readonly bench: (to: Composition, name: string, options: Record<string, unknown>) => Promise<ExitCode>;
  readonly record: (to: Composition, options: Record<string, unknown>, abort: AbortSignal) => Promise<ExitCode>;
  readonly detect: (
    to: Composition,
    files: readonly string[],
    options: Record<string, unknown>,
    abort: AbortSignal,
  ) => Promise<ExitCode>;
  readonly backtest: (to: Composition, options: Record<string, unknown>, abort: AbortSignal) => Promise<ExitCode>;
  readonly toEpisode: (incident: Incident, caseFile: CaseFile) => unknown;
}

const CODES = "Exit codes: 0 yes, 1 the answer is no, 2 wrong input or configuration, 3 a source or store is down.";

/**
 * The command line: one entry a command, each loading its own file only when it runs.
 * `finish` receives the exit code; errors are left to the caller.
 */
export function buildProgram(to: Composition, lab: Lab, abort: AbortSignal, finish: (code: ExitCode) => void): Command {
  const program = new Command("unship")
    .description("Watches production, finds the change that broke it, and rolls it back inside limits that people set.")
    .version(to.version)
    .showHelpAfterError("Nothing was done. Run the command with --help to see what is possible.")
    .configureOutput({ writeOut: to.terminal.out, writeErr: to.terminal.err })
    .exitOverride();

  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .addOption(new Option("-c, --config <file>", "configuration file").default("unship.yaml"));
  const json = (one: Command) => one.option("--json [file]", "result as JSON on standard output, or into a file");
  const run =
    <T extends readonly unknown[]>(action: (...words: T) => Promise<ExitCode>) =>
    async (...words: T) =>
      finish(await action(...words));

  json(
    program
      .command("demo")
      .description("Starts the sandbox, breaks it, and shows the whole job live, end to end")
      .option("--scenario <name>", "what goes wrong; a wrong name lists them all", "bad-deploy")
      .option("--real-time", "with the durations of the example configuration (3 m, 5 m, 10 m)")
      .option("--prometheus", "with Debian's Prometheus scraping the sandbox instead of the embedded scraper")
      .option(
        "--real-kubernetes <folder>",
        "on a real control plane, whose programs npm run real-parts put into the folder",
      )
      .option("--keep <folder>", "keep the run's files here"),
  ).action(run(async (options) => lab.demo(to, options, abort)));

  json(
    program
      .command("sandbox")
      .description(
        "The small live system alone: prints a kubeconfig and its endpoints, and stays up for any tool to try",
      )
      .option("--scenario <name>", "break it this way after warm-up")
      .option(
        "--break-after <when>",
        "how long it is well before, such as 3m, or enter: when you press Enter (default: 20s)",
      )
      .option("--directory <folder>", "where its logs, images and kubeconfig are"),
  ).action(run(async (options) => lab.sandbox(to, options, abort)));

  program
    .command("init")
    .description(
      "Asks your systems what is there, and writes a configuration in which nothing is executed without a person. Asks you at a terminal",
    )
    .option("--prometheus <url>", "where Prometheus answers; its token, if any, is in PROMETHEUS_TOKEN")
    .option("--kubeconfig <file>", "kubeconfig of the cluster")
    .option("--context <name>", "context in it (default: its current one)")
    .option("--namespace <name...>", "namespaces to watch (default: those in which your services run)")
    .option("--argocd <url>", "where Argo CD answers; its token is in ARGOCD_TOKEN")
    .option("--flags <server>", "unleash=URL, launchdarkly or flagsmith; the token is in a variable, see --flags-token")
    .option("--flags-token <variable>", "variable of its token (default: UNLEASH_TOKEN, LD_API_KEY, FLAGSMITH_TOKEN)")
    .option("--flags-project <name>", "its project (default: default)")
    .option("--flags-environment <name>", "its environment (default: production)")
    .option("--flags-environment-key <key>", "Flagsmith's client-side key of the environment")
    .option("--zipkin <url>", "where Zipkin's API answers: who calls whom, which finds where a degradation starts")
    .addOption(
      new Option(
        "--mode <mode>",
        "observe: nothing is executed (default); approve: nothing without --approver",
      ).choices(["observe", "approve"]),
    )
    .option("--approver <name>", "who may approve; asks for their personal token, and keeps its public key alone")
    .option("--token-file <file>", "file with that token, where no terminal is to type it at")
    .option("--window <duration>", "what rates are averaged over, and conditions hold for (default: 5m)")
    .option("--service-label <label>", "label that names the service, instead of the one that fits best")
    .option("--version-label <label>", "label that names the version, or none")
    .option("--request-metric <metric>", "counter of requests, instead of the one that fits best")
    .option("--latency-metric <metric>", "histogram of durations, instead of the one that fits best")
    .option("--out <file>", "where the configuration is written", "unship.yaml")
    .option("--force", "replace a file that is there")
    .action(run(async (options) => (await import("./init.ts")).init(to, options, abort)));

  json(
    command(
      "check",
      "Validates the file, says in plain words what it makes unship do, and asks each source for one thing",
    ),
  )
    .option("--offline", "ask no source")
    .action(run(async (options) => (await import("./check.ts")).check(to, options, abort)));

  command("watch", "Watches in the foreground: a line an event")
    .option("--mode <mode>", "observe, approve or auto, instead of the file's")
    .option("--json", "a JSON line an event")
    .action(run(async (options) => (await import("./watch.ts")).watch(to, options, abort)));

  command("gate", "The gate as a process of its own, with the credentials that can write; the others then only read")
    .option("--mode <mode>", "observe, approve or auto, instead of the file's")
    .action(run(async (options) => (await import("./gate.ts")).gate(to, options, abort)));

  command("mcp", "The MCP server on standard input and output, or over HTTP")
    .option("--http <address>", "Streamable HTTP at this address, such as 127.0.0.1:7331, instead of stdio")
    .option("--read-only", "do not even register the tools that propose or submit")
    .option(
      "--print-config <client>",
      "print what the client's own configuration needs: claude-code, claude-desktop, vscode, cursor, codex or openclaw",
    )
    .action(run(async (options) => (await import("./mcp.ts")).mcp(to, options, abort)));

  json(command("status", "What is open, what waits for whom, what is paused")).action(
    run(async (options) => (await import("./status.ts")).status(to, options)),
  );

  const token = (one: Command) =>
    one.option("--token-file <file>", "file with your personal token; without it you are asked at the terminal");
  json(
    program
      .command("approver-key")
      .description("The public key of a personal token, for approvers[].token_key; the token is kept nowhere")
      .option("--token-file <file>", "file with the token; without it you are asked at the terminal"),
  ).action(run(async (options) => (await import("./approver-key.ts")).approverKeyLine(to, options)));
  token(json(command("approve", "Approves one plan, exactly as it is; the watch then executes it")))
    .argument("<plan>", "plan id, as `unship status` shows it")
    .action(run(async (plan, options) => (await import("./desk.ts")).approve(to, plan, options)));
  token(json(command("reject", "Refuses one plan for good")))
    .argument("<plan>", "plan id, as `unship status` shows it")
    .option("--reason <text>", "why, for the record and whoever asks next")
    .action(run(async (plan, options) => (await import("./desk.ts")).reject(to, plan, options)));
  json(command("pause", "Stops every execution, for a service or for all; anyone may"))
    .argument("[scope]", "service, or all", "all")
    .option("--by <name>", "who pauses, for the record", "cli")
    .action(run(async (scope, options) => (await import("./desk.ts")).pause(to, scope, options)));
  token(json(command("resume", "Ends a pause; an approver's right")))
    .argument("[scope]", "service, or all", "all")
    .action(run(async (scope, options) => (await import("./desk.ts")).resume(to, scope, options)));

  const quiet = (one: Command, usual: string) =>
    token(json(one))
      .argument("<incident>", "incident id, as `unship status` shows it")
      .option("--for <duration>", "how long, such as 45m or 2h", usual)
      .option("--note <text>", "for the record, and whoever is on call next");
  const paging = "something worse adds to it, or the time is over; decisions and plans go on as before";
  quiet(command("ack", `Says that you work on an incident: nobody is paged of it until ${paging}`), "30m").action(
    run(async (id, options) => (await import("./acknowledge.ts")).acknowledge(to, id, "acknowledge", options)),
  );
  quiet(command("snooze", `Says that an incident can wait: nobody is paged of it until ${paging}`), "1h").action(
    run(async (id, options) => (await import("./acknowledge.ts")).acknowledge(to, id, "snooze", options)),
  );

  json(
    program
      .command("investigate")
      .description("Runs the chain once, live or on a bundle, and prints the reasoning; executes nothing")
      .option(
        "-c, --config <file>",
        "configuration file (default: unship.yaml; with --bundle the example configuration, in auto mode)",
      ),
  )
    .option("--service <name>", "the service that somebody points at")
    .option("--metric <name>", "the metric that somebody points at")
    .option("--at <time>", "as of this moment (RFC 3339)", parseTime)
    .option("--bundle <folder>", "a recorded incident instead of the live sources")
    .action(run(async (options) => (await import("./investigate.ts")).investigate(to, options, lab.toEpisode, abort)));

  json(
    program
      .command("canary")
      .description("Judges a canary against the stable version beside it, from files, and prints the reasons")
      .requiredOption("--baseline <file...>", "series of the stable version: series.jsonl, or CSV timestamp,value")
      .requiredOption("--canary <file...>", "series of the canary, of the same time")
      .option("-c, --config <file>", "canary_analysis of this file (default: every metric, confidence 0.95)")
      .addOption(new Option("--judge <judge>", "instead of the file's").choices(["sequential", "kayenta"])),
  )
    .addHelpText("after", "\n0 it passes, 1 it fails, 3 neither is known: inconclusive, marginal, or no data.")
    .action(run(async (options) => (await import("./canary.ts")).canary(to, options)));

  json(command("postmortem", "The draft of one incident, on demand"))
    .argument("<incident>", "incident id, as `unship status` shows it")
    .addOption(new Option("--format <format>", "md or html").choices(["md", "html"]).default("md"))
    .option("-o, --output <file>", "write it here")
    .action(run(async (id, options) => (await import("./postmortem.ts")).postmortem(to, id, options)));

  json(
    program
      .command("replay")
      .description("Runs the whole agent over recorded incidents on a virtual clock")
      .argument("<bundle...>", "bundle folders, or folders of bundles")
      .option("-c, --config <file>", "configuration file; without it the example configuration, in auto mode")
      .option("--mode <mode>", "observe, approve or auto")
      .option("--score", "compare with each bundle's truth.json, and write a report")
      .option("--report <file>", "the report (HTML) goes here; default: beside the JSON file, else unship-replay.html")
      .option("--no-report", "no report")
      .option("--reasoner <reasoner>", "a model to score beside the core: anthropic, openai, or scripted")
      .option("--model <name>", "the model's name; without it, and with -c, the file's own model")
      .option("--base-url <url>", "where it answers, if not at the vendor's")
      .option("--baseline <file>", "what each model reached before; one that is worse now fails")
      .option("--save-baseline", "write what this model reached into the baseline file")
      .option("--workers <number>", "bundles at the same time (default: one a core)", parseCount),
  ).action(run(async (paths, options) => lab.replay(to, paths, options, abort)));

  json(
    program
      .command("bench")
      .description("Measures one thing that is claimed, beside what it is compared with")
      .argument("<name>", "which one; a wrong name lists them all")
      .option("--seed <number>", "where its random draws begin", "1")
      .option("--trials <number>", "how many trials (default: as many as the claim needs)")
      .option("--data <folder>", "a data set that is not kept here, where the benchmark needs one"),
  ).action(run(async (name, options) => lab.bench(to, name, options)));

  json(
    program
      .command("detect")
      .description(
        "What is strange in recorded series: findings, change points, and a score from 0 to 1 for each sample",
      )
      .argument("<file...>", "series.jsonl of a bundle, or CSV with the columns timestamp,value"),
  ).action(run(async (files, options) => lab.detect(to, files, options, abort)));

  const span = (one: Command) =>
    one
      .requiredOption("--from <time>", "start of the span (RFC 3339)", parseTime)
      .requiredOption("--to <time>", "end of the span (RFC 3339)", parseTime);
  span(
    json(
      command("record", "Writes a span of the past from the live sources into a bundle, secrets scrubbed; only reads"),
    ),
  )
    .requiredOption("-o, --output <folder>", "the bundle's new folder")
    .action(run(async (options) => lab.record(to, options, abort)));
  span(json(command("backtest", "What today's policy would have done over past data of the live sources; only reads")))
    .option("--mode <mode>", "observe, approve or auto (default: auto)")
    .action(run(async (options) => lab.backtest(to, options, abort)));

  const knowledge = program
    .command("knowledge")
    .description("What was learned from past incidents, to review and to correct");
  const memory = (name: string, description: string) =>
    json(
      knowledge
        .command(name)
        .description(description)
        .option("-c, --config <file>", "configuration file", "unship.yaml"),
    );
  memory("list", "The newest remembered incidents").action(
    run(async (options) => (await import("./knowledge.ts")).knowledgeList(to, options)),
  );
  memory("search", "Past incidents like this text")
    .argument("<text>")
    .action(run(async (text, options) => (await import("./knowledge.ts")).knowledgeSearch(to, text, options)));
  memory("forget", "Takes one incident out of the memory; the ledger keeps it")
    .argument("<incident>")
    .action(run(async (id, options) => (await import("./knowledge.ts")).knowledgeForget(to, id, options)));
  memory("rebuild", "Makes the memory again from the ledger").action(
    run(async (options) => (await import("./knowledge.ts")).knowledgeRebuild(to, options)),
  );

  const audit = program.command("audit").description("Checks the ledger, the record of all that was seen and done");
  json(
    audit
      .command("verify")
      .description(
        "Checks the hash chain of the ledger, or of an export of it, against signed heads where some are given",
      )
      .option("-c, --config <file>", "configuration file", "unship.yaml")
      .option("--head <head...>", "signed heads that were kept elsewhere, or files that have such in them")
      .option("--public-key <file>", "the key that heads were signed with (default: the configured key's public half)")
      .option("--export <file>", "checks this export; needs neither the ledger nor a configuration"),
  ).action(run(async (options) => (await import("./audit.ts")).auditVerify(to, options)));
  json(
    audit
      .command("sign")
      .description(
        "Signs the end of a ledger that was written without ledger.signing_key, once all of it was found whole",
      )
      .option("-c, --config <file>", "configuration file", "unship.yaml"),
  ).action(run(async (options) => (await import("./audit.ts")).auditSign(to, options)));
  json(
    audit
      .command("export")
      .description("The whole ledger as JSON Lines with its signed head, for whoever audits it elsewhere")
      .option("-c, --config <file>", "configuration file", "unship.yaml")
      .option("-o, --output <file>", "write it here, instead of on standard output"),
  ).action(run(async (options) => (await import("./audit.ts")).auditExport(to, options)));
  for (const one of allOf(program)) one.addHelpText("after", `\n${CODES}`);
  return program;
}

const allOf = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(allOf)];

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("Write a whole number, 1 or more.");
  return Number(text);
}

function parseTime(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError("Write an RFC 3339 time, such as 2026-05-16T18:59:21Z.");
  return at;
}
