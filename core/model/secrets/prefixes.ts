/**
 * Tokens that a vendor marks by a prefix, as each vendor's own pages spell it: beside the maintained rules, which know fewer
 * vendors. Prefixes that no other text begins with: what follows is letters, digits and signs.
 */
const UNIQUE = [
  // Code and packages: GitHub, GitLab, Bitbucket, Atlassian, PyPI, RubyGems, Docker, Clojars
  "github_pat_ gl(?:pat|ptt|dt|rt|rtr|cbt|soat|imt|ft|agent|oas|ffct)- GR1348941 BBDC- ATBB ATATT3 ATCTT3 pypi- rubygems_ dckr_(?:pat|oat)_ CLOJARS_",
  // Infrastructure: Google, DigitalOcean, Vault, PlanetScale, Doppler, Fly.io, Tailscale, Docker Swarm
  "ya29\\. GOCSPX- 1//0 do[opr]_v1_ hv[sbr]\\. pscale_[a-z]{2,5}_ dp\\.[a-z]{2,5}\\. fm[12]_ tskey- SWMTKN- SWMKEY-",
  // Monitoring: Grafana, New Relic, Heroku, Sentry, Dynatrace, Postman, Linear, Together
  "gl(?:sa|c)_ NR(?:AK|AA|JS|RA|II|IQ|BR)- HRKU- sntry[su]_ dt0[a-z]\\d\\d\\. PMA[KT]- lin_(?:api|oauth)_ tgp_v1_",
  // Chat, mail and payment: Slack, Brevo, Square, Shopify, 1Password, Anthropic
  "xox[a-z]- xapp- xwfp- xkeysib- xsmtpsib- sq0[a-z]{3}- shp(?:at|ca|pa|ss|tka)_ (?:sk|rk|pk)_(?:live|test)_ ops_eyJ sk-(?:ant|proj|svcacct|or)-",
  // Others: age, Akamai, Amazon, Defined Networking, Tavily, xAI
  "AGE-SECRET-KEY- akab- amzn\\.mws\\. bedrock-api-key- dnkey- tvly- xai-",
].flatMap((line) => line.split(" "));

/** Long enough that no word has the form, whatever its characters. */
const LONG = ["AIza[\\w-]{30,}", "SG\\.[\\w-]{16,}\\.[\\w-]{16,}"];

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

/** Text without any of these marks holds no such token. */
export const PREFIXED: RegExp = new RegExp(
  String.raw`(?<![A-Za-z0-9])(?:(?:${UNIQUE.join("|")})${HAS_DIGIT_OR_CAPITAL}[\w.=+/%\\-]{12,}|${HAS_DIGIT_OR_CAPITAL}(?:${WITH_FORM.join("|")})|${LONG.join("|")})`,
  "dg",
);
