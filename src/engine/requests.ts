/** How requests must be shaped for dockerode. */
import { setMaxListeners } from "node:events";
import { Readable } from "node:stream";
import type Docker from "dockerode";

/**
 * Options of a create call. dockerode copies plain options into the URL as well as the body, secrets included
 * (https://github.com/apocas/dockerode/issues/130); only this shape keeps the two apart. Made anew for each call,
 * because dockerode deletes the signal from the object it is given.
 */
export function createOptions(query: object, body: object, signal: AbortSignal | undefined): object {
  return { _query: query, _body: body, ...abortable(signal) };
}

/** The signal as dockerode wants it; no key at all without one, or it would appear in the URL. */
export function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  if (signal === undefined) return {};
  // Node warns of a leak when more than ten requests share a signal at once.
  setMaxListeners(0, signal);
  return { abortSignal: signal };
}

/** A GET that takes a signal, where dockerode's own method leaves the signal out. Resolves to the decoded JSON. */
export function getJson<T>(docker: Docker, path: string, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = { path, method: "GET", statusCodes: { 200: true }, ...abortable(signal) };
    docker.modem.dial(request, (error, answer) => (error === null ? resolve(answer as T) : reject(error)));
  });
}

/** A body as it comes, where dockerode's own method gathers it in memory first. */
export function getStream(
  docker: Docker,
  path: string,
  query: object,
  signal: AbortSignal | undefined,
  method: "GET" | "POST" = "GET",
): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const options = { _query: query };
    const request = { path: `${path}?`, method, isStream: true, options, statusCodes: { 200: true } };
    docker.modem.dial({ ...request, ...abortable(signal) }, (error, stream) =>
      stream instanceof Readable ? resolve(stream) : reject(error),
    );
  });
}
