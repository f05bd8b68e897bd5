import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const uploadSize: Check<EndpointFacts> = {
  id: "upload-size",
  title: "layers of any size are taken",
  async examine({ upload, target }) {
    const large = upload?.large;
    if (large === undefined) return undefined;
    if (!isAnswer(large))
      return broken(
        `${target.host} breaks off an upload of 2 MB (${large.failure})`,
        "in the proxy: no limit on bodies and time: nginx client_max_body_size 0; proxy_request_buffering off; proxy_read_timeout 900s",
      );
    if (large.status !== 413) return undefined;
    return broken(
      `${target.host} refuses an upload of 2 MB with 413: the proxy limits bodies (1 MB in nginx unless told), so only tiny images can be pushed`,
      'in nginx: client_max_body_size 0; in Kubernetes\' ingress: nginx.ingress.kubernetes.io/proxy-body-size: "0"; then nginx -s reload',
    );
  },
};
