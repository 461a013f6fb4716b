import { z } from "zod";
import { ImpactLevel } from "../../model/impact.ts";
import { ActionType } from "../../model/plan.ts";
import { SECRET_FORMS } from "../variables.ts";
import { currencyCode } from "./currency.ts";
import { duration, field, name, path, secret, text, url } from "./fields.ts";

export const ModeField = z.enum(["observe", "approve", "auto"]);

const revenue = (what: string) =>
  field(
    z.number().min(0).optional(),
    `Revenue that ${what} earns; it may raise the business impact and never lowers it.`,
    {
      unit: "currency a minute",
      unless: "not known: impact comes from the failed share of traffic, capped at high",
    },
  );

const Route = z.strictObject({
  route: field(text(), "The route, as metrics and spans spell it."),
  revenue_per_minute: field(z.number().min(0), "Revenue that the route earns.", { unit: "currency a minute" }),
});

export const Service = z.strictObject({
  namespace: field(name().optional(), "Its Kubernetes namespace.", { unless: "default, if the workload is named" }),
  workload: field(
    z
      .strictObject({
        kind: field(z.enum(["Deployment", "StatefulSet", "DaemonSet", "Rollout"]), "Kind of the workload."),
        name: field(name(), "Name of the workload."),
      })
      .optional(),
    "The workload that runs it.",
    { unless: "one whose label app.kubernetes.io/name or app, or else whose name, is the service's" },
  ),
  argocd_application: field(name().optional(), "The Argo CD application that deploys it.", { unless: "none" }),
  flags: field(z.array(name()).default([]), "Feature flags that it evaluates."),
  routes: field(z.array(Route).default([]), "Routes that earn money."),
  criticality: field(ImpactLevel.default("medium"), "How much it matters: low, medium, high, critical."),
  revenue_per_minute: revenue("the service"),
  mode: field(ModeField.optional(), "observe, approve or auto for this service alone.", { unless: "the file's mode" }),
});

const Approver = z
  .strictObject({
    name: field(name(), "Who approves, as the ledger will name them."),
    token_sha256: field(
      z
        .string()
        .superRefine((value, context) => {
          if (/^[0-9a-f]{64}$/i.test(value)) return;
          const params = { hint: '64 hexadecimal digits: printf %s "$TOKEN" | sha256sum' };
          context.addIssue({ code: "custom", message: "is no SHA-256", params });
        })
        .optional(),
      "SHA-256 of the personal token, which should be random (openssl rand -hex 32). The token itself is stored nowhere.",
      { unit: "64 hexadecimal digits", unless: "no personal token" },
    ),
    token_key: field(
      z
        .string()
        .superRefine((value, context) => {
          if (/^ed25519:[\w-]{43}$/.test(value)) return;
          const params = { hint: "the line that `unship approver-key` prints" };
          context.addIssue({ code: "custom", message: "is no approver's key", params });
        })
        .optional(),
      "Public key that `unship approver-key` derives from the personal token. Each answer is signed with its private half, so that nobody else can put one into the ledger. In place of token_sha256.",
      { unless: "the gate vouches for answers with ledger.signing_key, or none counts" },
    ),
    oidc: field(text().optional(), "What the claim of server.oidc says of this person, exactly.", {
      unless: "no token of the issuer names this person",
    }),
    slack: field(
      name()
        .regex(/^[UW][A-Z0-9]+$/)
        .optional(),
      "Slack's id of this person (U…, in their profile under Copy member ID).",
      { unless: "no press of a button in Slack is theirs" },
    ),
    services: field(
      z.array(name()).min(1).optional(),
      "Services that this person may approve for, by exact name. What a target belongs to beside the service that the plan names must be listed here too.",
      { unless: "all" },
    ),
    actions: field(z.array(ActionType).min(1).optional(), "Action types that this person may approve.", {
      unless: "all",
    }),
    up_to: field(
      ImpactLevel.default("critical"),
      "The most important services that this person may approve for, by their `criticality`. A service that the file does not describe counts as critical.",
    ),
  })
  .superRefine((approver, context) => {
    const { token_sha256, token_key, oidc, slack } = approver;
    if ([token_sha256, token_key, oidc, slack].some((proof) => proof !== undefined)) return;
    const params = { hint: "name token_key, token_sha256, oidc or slack" };
    context.addIssue({ code: "custom", path: ["name"], message: "has nothing to show who they are", params });
  });

const ModelBudget = z.strictObject({
  tokens: field(z.int().min(1_000).default(60_000), "Most that one run of the chain may use, input and output.", {
    unit: "tokens",
  }),
  turns: field(z.int().min(1).default(40), "Most requests to the model in one run of the chain.", { unit: "requests" }),
  time: field(duration(1_000).default("90s"), "Longest that the model's part of one run may take."),
  step_time: field(duration(1_000).default("30s"), "Longest that one step of it may take."),
  cost: field(z.number().positive().optional(), "Most that one run may cost, by `prices`.", {
    unit: "the currency of prices",
    unless: "not limited",
  }),
});

const ModelPrices = z.strictObject({
  input: field(z.number().min(0), "A million input tokens.", { unit: "any currency" }),
  cached_input: field(z.number().min(0).optional(), "A million input tokens read from the vendor's cache.", {
    unit: "any currency",
    unless: "as input",
  }),
  output: field(z.number().min(0), "A million output tokens.", { unit: "any currency" }),
});

const Model = z
  .strictObject({
    provider: field(z.enum(["anthropic", "openai"]), "Whose API it speaks; openai: any compatible endpoint."),
    model: field(name(), "The model's name."),
    base_url: field(url().optional(), "Where it answers.", { unless: "the provider's own" }),
    api_key: field(secret().optional(), `API key, as ${SECRET_FORMS}.`, { unless: "none is sent" }),
    may_hold: field(
      z.boolean().default(false),
      "Whether the model's doubt turns an automatic action into a question to people. It can never cause one.",
    ),
    may_read_code: field(
      z.boolean().default(false),
      "Whether a model may read excerpts of the diffs of suspected changes. Commit messages and names of files it may always read.",
    ),
    budget: field(
      ModelBudget.prefault({}),
      "What one run of the chain may spend; spent, the deterministic result is kept.",
    ),
    prices: field(ModelPrices.optional(), "What tokens cost, so that an incident says what its model cost.", {
      unless: "cost is not reckoned",
    }),
  })
  .superRefine((model, context) => {
    if (model.budget.cost === undefined || model.prices !== undefined) return;
    context.addIssue({
      code: "custom",
      path: ["budget", "cost"],
      message: "cannot be kept without model.prices",
      params: { hint: "add model.prices, or leave cost out" },
    });
  });

const Topology = z.strictObject({
  edges: field(z.array(z.array(name()).length(2)).min(1), "Who calls whom: [caller, callee]."),
  external: field(
    z.array(name()).default([]),
    "Names in edges that have no metrics of their own and cannot be rolled back.",
  ),
});

/** Where the ledger lies, counted from the folder of the file, when that names neither a path nor a URL. */
export const DEFAULT_LEDGER_PATH = ".unship/ledger.db";

/** What a real set-up needs beyond the seed. */
export const setup = {
  mode: field(
    ModeField.default("observe"),
    "observe: does nothing, says what it would do. approve: acts when a person agrees. auto: acts inside the guardrails.",
  ),
  services: field(
    z.record(name(), Service).default({}),
    "What unship must know of a service that it cannot find out, by the service's name in metrics.",
  ),
  currency: field(currencyCode().optional(), "The currency of every revenue_per_minute, as its ISO 4217 code.", {
    unit: "three capital letters",
    unless: 'impact reads "in the file\'s currency"',
  }),
  service_label: field(
    name()
      .regex(/^[A-Za-z_]\w*$/)
      .default("service"),
    "The label that tells services apart in metrics.",
  ),
  version_label: field(
    name()
      .regex(/^[A-Za-z_]\w*$/)
      .default("version"),
    "The label that tells versions apart in metrics.",
  ),
  topology: field(Topology.optional(), "The call graph, beside what is learned of it.", {
    unless: "learned from traces, mesh metrics and pod templates",
  }),
  approvers: field(z.array(Approver).default([]), "Who may approve, resume and raise modes. Without any nobody can."),
  ledger: field(
    z
      .strictObject({
        path: field(
          path().optional(),
          "The SQLite file that holds the ledger, for one machine. Without variables: it is the same for every user and service.",
          {
            unless: `${DEFAULT_LEDGER_PATH} beside this file, if url is missing too`,
          },
        ),
        url: field(
          secret().optional(),
          `The PostgreSQL database that holds the ledger instead, for any number of machines: postgres://user:password@host/database, as ${SECRET_FORMS}. Its tables are made in the schema that the search path names first.`,
          { unless: "the SQLite file at path" },
        ),
        signing_key: field(
          path().optional(),
          "File of an Ed25519 private key (PEM, openssl genpkey -algorithm ed25519), outside the ledger's directory, that only its owner can read. The ledger's head, signed with it, goes with each notice; `audit verify --head` then proves that nothing was changed or cut off.",
          { unless: "nothing is signed, and that nothing was cut off cannot be proven" },
        ),
      })
      .superRefine((ledger, context) => {
        if (ledger.path === undefined || ledger.url === undefined) return;
        context.addIssue({
          code: "custom",
          path: ["url"],
          message: "cannot be given together with ledger.path",
          params: { hint: "one ledger is one place: remove one of the two" },
        });
      })
      .prefault({}),
    "Where the record is kept. One installation has one: relative paths count from the folder of this file.",
    {
      unless: `${DEFAULT_LEDGER_PATH} beside this file`,
    },
  ),
  knowledge: field(
    z
      .strictObject({ path: field(path().default(".unship/knowledge"), "The folder of the incident index.") })
      .prefault({}),
    "Where past incidents are indexed.",
    {
      unless: ".unship/knowledge beside this file",
    },
  ),
  watch: field(
    z
      .strictObject({
        step: field(
          duration(100).default("15s"),
          "Time between two evaluations, and between two samples of a signal.",
          {
            unit: "duration",
          },
        ),
      })
      .prefault({}),
    "How the daemon watches.",
    {
      unless: "every 15s",
    },
  ),
  model: field(Model.optional(), "A language model for the chain. It explains and may doubt; it never acts.", {
    unless: "none: the deterministic reasoner does the whole chain",
  }),
};
