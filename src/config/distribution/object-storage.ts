import type { DistributionMajor } from "./major.ts";
import { choice, durationText, flag, openMap, section, text, texts, whole } from "./values.ts";

const MIB = 1024 * 1024;
const S3_PART_MIN = 5 * MIB;
const S3_PART_MAX = 5 * 1024 * MIB;

const OBJECT_ACLS = [
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
] as const;

const S3_LOG_LEVELS = [
  "off",
  "debug",
  "debugwithsigning",
  "debugwithhttpbody",
  "debugwithrequestretries",
  "debugwithrequesterrors",
  "debugwitheventstreambody",
] as const;

const STORAGE_CLASSES_2 = ["STANDARD", "REDUCED_REDUNDANCY", "NONE"] as const;
const STORAGE_CLASSES_3 = [
  ...STORAGE_CLASSES_2,
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "OUTPOSTS",
  "GLACIER_IR",
  "EXPRESS_ONEZONE",
] as const;

export function s3Driver(major: DistributionMajor) {
  const about = "Amazon S3 or a service that speaks it";
  const common = {
    region: text("region of the bucket; required"),
    bucket: text("bucket name; required"),
    accesskey: text("access key; leave out to use the instance's role"),
    secretkey: text("secret key"),
    regionendpoint: text("URL of another S3 service, such as MinIO"),
    encrypt: flag("server-side encryption (false)"),
    keyid: text("KMS key for the encryption"),
    secure: flag("use HTTPS (true)"),
    skipverify: flag("do not verify the server's certificate (false)"),
    v4auth: flag("signature version 4 (true)"),
    chunksize: whole("bytes of an upload part, at least 5 MiB (10485760)", { min: S3_PART_MIN, max: S3_PART_MAX }),
    multipartcopychunksize: whole("bytes of a copied part (33554432)", { min: S3_PART_MIN, max: S3_PART_MAX }),
    multipartcopymaxconcurrency: whole("parallel copied parts (100)", { min: 1 }),
    multipartcopythresholdsize: whole("larger objects are copied in parts (33554432)", { min: 0, max: S3_PART_MAX }),
    rootdirectory: text("prefix of every object key"),
    storageclass: choice(major === 2 ? STORAGE_CLASSES_2 : STORAGE_CLASSES_3, "storage class (STANDARD)"),
    objectacl: choice(OBJECT_ACLS, "canned ACL of every object (private)"),
  };
  if (major === 2) return section(about, common);
  return section(about, {
    ...common,
    forcepathstyle: flag(
      "bucket in the path, not in the host name; most services with a regionendpoint need true (false)",
    ),
    useragent: text("added to the User-Agent header"),
    usedualstack: flag("dual-stack endpoints (false)"),
    accelerate: flag("S3 transfer acceleration (false)"),
    loglevel: choice(S3_LOG_LEVELS, "log of the S3 client, quoted: off alone is a boolean in YAML (off)"),
    usefipsendpoint: flag("FIPS endpoints; from 3.1 (false)"),
    redirectendpoint: text("endpoint put into redirects; releases after 3.1.1"),
  });
}

export function gcsDriver(major: DistributionMajor) {
  const chunk = major === 2 ? "5242880" : "16777216";
  return section("Google Cloud Storage", {
    bucket: text("bucket name; required"),
    keyfile: text("service account key file"),
    credentials: openMap("service account key, inline"),
    rootdirectory: text("prefix of every object name"),
    chunksize: whole(`bytes of an upload chunk, a multiple of 256 KiB (${chunk})`, { min: 1, multipleOf: 256 * 1024 }),
    maxconcurrency: whole("parallel operations, at least 25 (50)", { min: 25 }),
  });
}

export function azureDriver(major: DistributionMajor) {
  const about = "Azure Blob Storage";
  const common = {
    accountname: text("storage account; required"),
    accountkey: text("account key"),
    container: text("container; required"),
    realm: text("domain of the API endpoint (core.windows.net)"),
  };
  if (major === 2) return section(about, common);
  return section(about, {
    ...common,
    credentials: section("how to authenticate", {
      type: choice(["shared_key", "client_secret", "default_credentials"], "kind of credentials; required"),
      clientid: text("client of client_secret"),
      tenantid: text("tenant of client_secret"),
      secret: text("secret of client_secret"),
    }),
    rootdirectory: text("prefix of every blob name"),
    serviceurl: text("endpoint (https://<accountname>.blob.<realm>)"),
    connectionstring: text("connection string instead of account and key"),
    skipverify: flag("do not verify the server's certificate (false)"),
    max_retries: whole("attempts (5)", { min: 0 }),
    retry_delay: durationText("pause between attempts (100ms)"),
  });
}

export function swiftDriver() {
  return section("OpenStack Swift", {
    username: text("user; required"),
    password: text("password; required"),
    authurl: text("authentication URL; required"),
    container: text("container; required"),
    tenant: text("tenant name"),
    tenantid: text("tenant id"),
    domain: text("Identity v3 domain name"),
    domainid: text("Identity v3 domain id"),
    tenantdomain: text("domain name of the tenant"),
    tenantdomainid: text("domain id of the tenant"),
    trustid: text("trust id (Identity v3)"),
    region: text("region"),
    authversion: whole("Identity version; 0 = found out (0)", { min: 0, max: 3 }),
    prefix: text("prefix of every object name"),
    endpointtype: choice(["public", "internal", "admin"], "endpoint of the service (public)"),
    insecureskipverify: flag("do not verify the server's certificate (false)"),
    chunksize: whole("bytes of a segment, at least 1 MiB (20971520)", { min: MIB }),
    secretkey: text("temporary URL secret"),
    accesskey: text("temporary URL access key"),
    tempurlcontainerkey: flag("use the container's temporary URL key (false)"),
    tempurlmethods: texts("methods allowed in temporary URLs"),
  });
}

export function ossDriver() {
  return section("Aliyun OSS", {
    accesskeyid: text("access key id; required"),
    accesskeysecret: text("access key secret; required"),
    region: text("region; required"),
    bucket: text("bucket; required"),
    endpoint: text("endpoint (<bucket>.<region>.aliyuncs.com)"),
    internal: flag("internal endpoint (false)"),
    encrypt: flag("server-side encryption (false)"),
    encryptionkeyid: text("key for the encryption"),
    secure: flag("use HTTPS (true)"),
    chunksize: whole("bytes of an upload part, at least 5 MiB (10485760)", { min: 5 * MIB }),
    rootdirectory: text("prefix of every object key"),
  });
}
