import { request } from "node:http";

/** One request to the engine of this host, as plain HTTP: a docker client costs more than what it asks. Rejects a 5xx. */
export function engineRequest(
  method: "GET" | "DELETE",
  path: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: "/var/run/docker.sock", method, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        if (status >= 500) reject(new Error(`${method} ${path}: ${status} ${text}`));
        else resolve({ status, body: text === "" ? undefined : JSON.parse(text) });
      });
    });
    call.once("error", reject);
    call.end();
  });
}

export interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

const filters = (label: string): string => encodeURIComponent(JSON.stringify({ label: [label] }));

/** Every container of a compose project, running or not, whoever made it. */
export async function containersOfProject(name: string): Promise<readonly ListedContainer[]> {
  const { body } = await engineRequest(
    "GET",
    `/containers/json?all=1&filters=${filters(`com.docker.compose.project=${name}`)}`,
  );
  return body as ListedContainer[];
}

/** Names of its networks. */
export async function networksOfProject(name: string): Promise<readonly string[]> {
  const { body } = await engineRequest("GET", `/networks?filters=${filters(`com.docker.compose.project=${name}`)}`);
  return (body as { Name: string }[]).map(({ Name }) => Name);
}
