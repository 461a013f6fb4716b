import { isJoinedName } from "./looks.ts";
import { type Span, spansOf } from "./span.ts";

/**
 * Tokens that a vendor marks by a prefix, beside the maintained rules, which know fewer vendors. Each with the characters and the
 * least length of what follows, as the vendor's pages, or the rules of gitleaks (MIT, config/gitleaks.toml at b58d3f10), have them:
 * names of services begin with the same letters, and are shorter or of other characters.
 */
const MARKED = [
  // Code and packages: GitHub, GitLab, Bitbucket, Atlassian, PyPI (a macaroon of version 2), RubyGems, Docker, Clojars.
  "github_pat_[A-Za-z0-9]{20,}\\w*",
  "gl(?:pat|ptt|dt|rt|rtr|cbt|soat|imt|ft|agent|oas|ffct)-[\\w-]{20,}(?:\\.[\\w.-]+)?",
  "GR1348941[\\w-]{20,}",
  "BBDC-[\\w+/@-]{40,}",
  "ATBB[\\w=.-]{24,}",
  "AT[AC]TT3[\\w.=+/%\\\\-]{50,}",
  "pypi-Ag[\\w-]{50,}",
  "rubygems_[0-9a-f]{48}",
  "dckr_(?:pat|oat)_[\\w-]{24,}",
  "CLOJARS_[a-z0-9]{60}",
  // Infrastructure: Google, DigitalOcean, Vault, PlanetScale, Doppler, Fly.io, Tailscale, Docker Swarm.
  "ya29\\.[\\w-]{16,}",
  "GOCSPX-[\\w-]{24,}",
  "1//0[\\w-]{40,}",
  "do[opr]_v1_[0-9a-f]{64}",
  "hv[sbr]\\.[\\w-]{16,}",
  "pscale_[a-z]{2,5}_[\\w=.-]{32,}",
  "dp\\.[a-z]{2,5}\\.(?:[\\w-]{1,35}\\.)?[A-Za-z0-9]{40,}",
  "fm[12][ar]?_[A-Za-z0-9+/]{40,}={0,3}",
  "fo1_[\\w-]{43}",
  "tskey-(?:[a-z]{3,10}-)?[A-Za-z0-9]{8,}-[A-Za-z0-9]{18,}",
  "SWMTKN-\\d-[0-9a-z]{40,}-[0-9a-z]{20,}",
  "SWMKEY-\\d-[\\w+/]{40,}",
  // Monitoring: Grafana, New Relic, Heroku, Sentry, Dynatrace, Postman, Linear, Together.
  "glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}",
  "glc_[A-Za-z0-9+/]{32,}={0,3}",
  "NR(?:AK|AA|JS|RA|II|IQ|BR)-[\\w-]{19,}",
  "HRKU-[\\w-]{36,}",
  "sntry[su]_[\\w+/=-]{60,}",
  "dt0[a-z]\\d\\d\\.[A-Z0-9]{24}\\.[A-Z0-9]{64}",
  "PMA[KT]-[A-Za-z0-9-]{24,}",
  "lin_(?:api|oauth)_[A-Za-z0-9]{40,}",
  "tgp_v1_[\\w-]{40,}",
  // Chat, mail and payment: Slack, Brevo, Square, Shopify, Stripe, 1Password, Anthropic, OpenAI, OpenRouter.
  "(?:xox[a-z]\\.)?xox[a-z]-[\\w-]{16,}",
  "xapp-\\d-[A-Z0-9]+-\\d+-[a-z0-9]+",
  "xwfp-[\\w-]{20,}",
  "x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
  "sq0[a-z]{3}-[\\w-]{22,}",
  "shp(?:at|ca|pa|ss|tka)_[0-9A-Fa-f]{32}",
  "(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,}",
  "ops_eyJ[\\w+/=-]{40,}",
  "sk-(?:ant|proj|svcacct|admin|or)-[\\w-]{20,}",
  // Others: age, Akamai, Amazon, Defined Networking, Tavily, xAI.
  "AGE-SECRET-KEY-1[0-9A-Z]{58}",
  "akab-[a-z0-9]{16}-[a-z0-9]{16}",
  "amzn\\.mws\\.[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}",
  "bedrock-api-key-[\\w+/=-]{30,}",
  "dnkey-[\\w=]{26}-[\\w=]{52}",
  "tvly-(?:(?:dev|prod)-)?[A-Za-z0-9]{24,}",
  "xai-[A-Za-z0-9]{60,}",
];

/** Of which no name has the form, whatever its characters: Google, SendGrid. */
const LONG = /(?<![A-Za-z0-9])(?:AIza[\w-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,})/dg;

/** Prefixes that words have too: each with the form of what follows. */
const WITH_FORM = [
  "gh[pousr]_[A-Za-z0-9]{20,}",
  "npm_[A-Za-z0-9]{20,}",
  "(?:sk|rk|pk)-(?:[a-z]{2,10}-)?[A-Za-z0-9_]{16,}",
  "(?:sk|rk|pk|whsec)_[A-Za-z0-9]{16,}",
  "key-[0-9a-f]{32}",
  "secret_[A-Za-z0-9]{40,}",
  "ntn_[A-Za-z0-9]{40,}",
  "(?:hf|api_org)_[A-Za-z0-9]{16,}",
  "(?:sbp|sq[upa]|cosmo|vc[pkair]|nfp|cf(?:at|ut|k)|ph[cxs]|fig[dopur]|gsk|r8)_(?:v0_)?[A-Za-z0-9_-]{24,}",
  "pplx-[A-Za-z0-9]{30,}",
  "EAA[A-Z][\\w-]{40,}",
  "dapi[0-9a-f]{32}",
  "pul-[0-9a-f]{40}",
  "da2-[a-z0-9]{26}",
  "cio[A-Za-z0-9]{32}",
  "oy2[a-z0-9]{43}",
  "pat-[a-z]{2}\\d-[0-9a-f-]{36}",
  "bk[uca]a_[A-Za-z0-9]{40}",
  "CFPAT-[\\w-]{40,}",
  "EZ[AT]K[A-Za-z0-9]{50,}",
  "pk_\\d{6,9}_[A-Z0-9]{32}",
  "AKCp[A-Za-z0-9]{60,}",
  "LTAI[A-Za-z0-9]{12,24}",
  "ABSK[A-Za-z0-9+/]{80,}={0,2}",
];

const HAS_DIGIT_OR_CAPITAL = String.raw`(?=[\w.=+/%-]{0,64}(?:\d|[a-z][A-Z]))`;

const PREFIXED = new RegExp(
  `(?<![A-Za-z0-9])(?:${MARKED.join("|")}|${HAS_DIGIT_OR_CAPITAL}(?:${WITH_FORM.join("|")}))`,
  "g",
);

/** Tokens that their vendor's prefix marks; words that are joined to a name are none, whatever they begin with. */
export function prefixed(text: string): readonly Span[] {
  const found = [...text.matchAll(PREFIXED)].flatMap(({ index, 0: token }) =>
    isJoinedName(token) ? [] : [{ start: index, end: index + token.length, what: "token" }],
  );
  return [...found, ...spansOf(text, LONG, 0, "token")];
}
