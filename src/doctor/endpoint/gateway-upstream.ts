import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

const MEANINGS: Readonly<Record<number, string>> = {
  502: "the proxy cannot reach the registry behind it",
  503: "the proxy has no registry to send us to, or is shut for maintenance",
  504: "the registry behind the proxy does not answer in time",
};

export const gatewayUpstream: Check<EndpointFacts> = {
  id: "gateway-upstream",
  title: "the proxy reaches the registry",
  async examine({ answer, upload, target }) {
    const all = [answer, upload?.begun, upload?.large];
    const status = all.filter(isAnswer).find((one) => MEANINGS[one.status] !== undefined)?.status;
    if (status === undefined) return undefined;
    return broken(
      `${target.host} answers ${status}: ${MEANINGS[status]}`,
      "on the registry's host: `regctl status`, then `regctl up`; see that proxy_pass names the registry's address, port and http or https",
      ...(status === 504 ? ["in nginx: proxy_read_timeout 900s; in Traefik: respondingTimeouts.readTimeout=0"] : []),
    );
  },
};
