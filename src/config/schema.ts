/** What people write in regctl.yaml, as zod; `config schema` publishes it as JSON Schema. */
import { z } from "zod";
import { retentionSchema } from "./retention-schema.ts";

export const DEPLOYMENT_NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

export const writtenConfigSchema = z
  .strictObject({
    name: z
      .string()
      .regex(DEPLOYMENT_NAME, "should be lower-case letters, digits and inner dashes, at most 40")
      .optional()
      .describe(
        "Name of the deployment: containers, network and compose project carry it. Default: the folder's name.",
      ),
    domain: z.string().min(1).optional().describe("Host name or IP address clients use. Default: localhost."),
    san: z.array(z.string()).optional().describe("Further host names and IP addresses the certificate covers."),
    bind: z
      .string()
      .optional()
      .describe("Address the port is published on. Default: 0.0.0.0; 127.0.0.1 without TLS or users."),
    port: z
      .int("should be a port number, 1 to 65535")
      .min(1, "should be a port number, 1 to 65535")
      .max(65535, "should be a port number, 1 to 65535")
      .optional()
      .describe("Port clients connect to. Default: 5000."),
    image: z.string().min(1).optional().describe("Registry image. Default: registry:2."),
    distribution: z
      .union([z.literal(2), z.literal(3)], "should be 2 or 3")
      .optional()
      .describe("Major version of distribution in the image, when its tag does not begin with it."),
    data: z.string().min(1).optional().describe("Folder of the images, relative to regctl.yaml. Default: data."),
    user: z
      .string()
      .regex(/^\d{1,9}:\d{1,9}$/, 'should be "uid:gid", numbers')
      .optional()
      .describe("uid:gid the containers run as. Default: the owner of the folder; 65532:65532 when that is root."),
    tls: z
      .strictObject({
        mode: z
          .enum(["own-ca", "provided", "none"])
          .optional()
          .describe(
            "own-ca: regctl issues the certificate; provided: certs/domain.{crt,key} are yours; none: plain HTTP.",
          ),
        lifetimeDays: z.int().min(1).max(825).optional().describe("Lifetime of issued certificates. Default: 397."),
        clientAuth: z
          .enum(["required", "optional", "off"])
          .optional()
          .describe(
            "required: clients need a certificate (`regctl certs client`) beside the password; optional (3.x only): one that is shown has to be valid. Default: off.",
          ),
        clientAuthorities: z
          .array(z.string().min(1))
          .optional()
          .describe(
            "PEM files, relative to regctl.yaml, of further authorities whose client certificates are accepted.",
          ),
      })
      .optional(),
    auth: z
      .strictObject({
        mode: z
          .enum(["htpasswd", "none"])
          .optional()
          .describe("htpasswd: users with passwords; none: everybody may push."),
        realm: z.string().min(1).optional().describe("Shown by clients that ask for a password. Default: the name."),
        bcryptCost: z
          .int()
          .min(5)
          .max(14)
          .optional()
          .describe(
            "Cost of new password hashes, paid on EVERY request: 5 = 2 ms, 10 = 50 ms, 12 = 210 ms. Default: 10.",
          ),
      })
      .optional(),
    insecure: z.boolean().optional().describe("Allow plain HTTP, or no users, on an address other than loopback."),
    retention: retentionSchema.optional(),
    registry: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("Any key of distribution's config.yml; laid over what regctl sets (`regctl config show`)."),
  })
  .describe("regctl.yaml: what should run");

export type WrittenConfig = z.infer<typeof writtenConfigSchema>;
