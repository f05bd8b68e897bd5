/** Every check of a deployment and its host, in the order of what depends on what: one file each. */
import type { Check } from "./check.ts";
import { authorityExpiry } from "./deployment/authority-expiry.ts";
import { authorityKey } from "./deployment/authority-key.ts";
import { certificateExpiry } from "./deployment/certificate-expiry.ts";
import { certificateFileChain } from "./deployment/certificate-file-chain.ts";
import { certificateFileNames } from "./deployment/certificate-file-names.ts";
import { certificateFiles } from "./deployment/certificate-files.ts";
import { certificateFolder } from "./deployment/certificate-folder.ts";
import { certificateForm } from "./deployment/certificate-form.ts";
import { certificateKey } from "./deployment/certificate-key.ts";
import { certificateServed } from "./deployment/certificate-served.ts";
import { collectionAge } from "./deployment/collection-age.ts";
import { configuration } from "./deployment/configuration.ts";
import { containerHealth } from "./deployment/container-health.ts";
import { containerRuns } from "./deployment/container-runs.ts";
import { daemonConfiguration } from "./deployment/daemon-configuration.ts";
import { deletion } from "./deployment/deletion.ts";
import { descriptorCache } from "./deployment/descriptor-cache.ts";
import { diskInodes } from "./deployment/disk-inodes.ts";
import { diskSpace } from "./deployment/disk-space.ts";
import { diskWritable } from "./deployment/disk-writable.ts";
import { dockerNetworks } from "./deployment/docker-networks.ts";
import { drift } from "./deployment/drift.ts";
import { editedFiles } from "./deployment/edited-files.ts";
import { engineInsecureRegistries } from "./deployment/engine-insecure-registries.ts";
import { engineProxy } from "./deployment/engine-proxy.ts";
import { engineReachable } from "./deployment/engine-reachable.ts";
import { engineTrustStore } from "./deployment/engine-trust-store.ts";
import { environmentOverrides } from "./deployment/environment-overrides.ts";
import { firewall } from "./deployment/firewall.ts";
import { folderRights } from "./deployment/folder-rights.ts";
import { hostClock } from "./deployment/host-clock.ts";
import { hostsFile } from "./deployment/hosts-file.ts";
import { htpasswdLines } from "./deployment/htpasswd-lines.ts";
import { interruptedChange } from "./deployment/interrupted-change.ts";
import { interruptedCollection } from "./deployment/interrupted-collection.ts";
import { interruptedInit } from "./deployment/interrupted-init.ts";
import { interruptedRemoval } from "./deployment/interrupted-removal.ts";
import { logRotation } from "./deployment/log-rotation.ts";
import { mirrors } from "./deployment/mirrors.ts";
import { mtu } from "./deployment/mtu.ts";
import { nameResolution } from "./deployment/name-resolution.ts";
import { ownership } from "./deployment/ownership.ts";
import { passwordCost } from "./deployment/password-cost.ts";
import { port } from "./deployment/port.ts";
import { registryLog } from "./deployment/registry-log.ts";
import { registryVersion } from "./deployment/registry-version.ts";
import { renewalSchedule } from "./deployment/renewal-schedule.ts";
import { repeatedUsers } from "./deployment/repeated-users.ts";
import { restartPolicy } from "./deployment/restart-policy.ts";
import { secretFiles } from "./deployment/secret-files.ts";
import { selinux } from "./deployment/selinux.ts";
import { snapEngine } from "./deployment/snap-engine.ts";
import { staleUploads } from "./deployment/stale-uploads.ts";
import { storageMount } from "./deployment/storage-mount.ts";
import { trash } from "./deployment/trash.ts";
import { users } from "./deployment/users.ts";
import type { DeploymentFacts } from "./deployment-facts.ts";

export const deploymentChecks: readonly Check<DeploymentFacts>[] = [
  configuration,
  engineReachable,
  containerRuns,
  containerHealth,
  registryLog,
  port,
  storageMount,
  interruptedInit,
  interruptedChange,
  interruptedCollection,
  interruptedRemoval,
  editedFiles,
  drift,
  environmentOverrides,
  certificateFiles,
  certificateKey,
  certificateExpiry,
  authorityExpiry,
  renewalSchedule,
  certificateFileNames,
  certificateFileChain,
  certificateForm,
  certificateServed,
  authorityKey,
  certificateFolder,
  secretFiles,
  folderRights,
  ownership,
  htpasswdLines,
  users,
  repeatedUsers,
  passwordCost,
  diskWritable,
  diskSpace,
  diskInodes,
  descriptorCache,
  deletion,
  staleUploads,
  trash,
  collectionAge,
  registryVersion,
  hostClock,
  nameResolution,
  hostsFile,
  firewall,
  dockerNetworks,
  mtu,
  restartPolicy,
  logRotation,
  engineProxy,
  engineInsecureRegistries,
  engineTrustStore,
  mirrors,
  daemonConfiguration,
  snapEngine,
  selinux,
];
