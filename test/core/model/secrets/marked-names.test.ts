import { describe, expect, it } from "vitest";
import { redactSecrets } from "../../../../core/model/secrets/redact.ts";
import { name } from "../../../../core/model/untrusted-text.ts";
import { drawn, numbers } from "./filled.ts";

/** What vendors' tokens begin with and names of services may. */
const BEGINNINGS =
  `xai- pypi- sk- rk- pk- key- pat- pul- tskey- akab- tvly- dnkey- bedrock-api-key- pplx- glpat- gldt- glft- xoxb- xapp- xwfp- xkeysib- sk-ant- sk-proj- sk-or- sk-shop- hf_ r8_
   npm_ gsk_ ghp_ phc_ phx_ phs_ vck_ vcp_ cfut_ cfk_ cosmo_ sqa_ squ_ nfp_ figr_ figd_ sbp_ whsec_ secret_ ntn_ hvs. hvb. dp.st. dp.pt. ya29. amzn.mws. SG. BBDC- dckr_pat_ glsa_ glc_
   pscale_pw_ fm2_ do_ dop_v1_ rubygems_ tgp_v1_ lin_api_ shpat_ sntrys_ sk_live_ ops_`.split(/\s+/);

const NAMES =
  `gateway inference-gateway-v2 mirror-cache-2 checkoutservice2 shop-checkoutservice2 paymentgateway01 web-paymentgateway01 search-service-v1 k8s-proxy-v2b s3-h264-transcoder-v2
   rotator.service-2 video_checkout_kiosk_v2_eu network_file_proxy_service2 order-processing-worker-service-prod-eu-west-1 Api-Gateway-V2`.split(
    /\s+/,
  );

/** What Kubernetes appends to names: k8s.io/apimachinery/pkg/util/rand draws from these 27 characters. */
const suffix = (length: number, next: () => number) => drawn("bcdfghjklmnpqrstvwxz2456789", length, next);

describe("names that begin as a vendor's token does", () => {
  it.each(BEGINNINGS)("%s… is shown", (beginning) => {
    const hidden = NAMES.map((one) => `${beginning}${one}`).filter(
      (one) =>
        redactSecrets(one) !== one ||
        String(name(one)) !== one ||
        redactSecrets(`deploy of ${one} failed`).includes("[redacted"),
    );
    expect(hidden).toEqual([]);
  });

  it("and so are its pods", () => {
    const next = numbers(7);
    const pods = [
      "xai-inference-gateway-v2",
      "pypi-mirror-cache-2",
      "sk-checkoutservice2",
      "tvly-search",
      "tskey-rotator",
      "hvs-proxy",
    ].flatMap((service) => Array.from({ length: 50 }, () => `${service}-${suffix(10, next)}-${suffix(5, next)}`));
    expect(pods.filter((pod) => redactSecrets(pod) !== pod)).toEqual([]);
  });
});
