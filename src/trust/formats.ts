/** `sh`: POSIX shell; `ps1`: PowerShell, for Windows; `yaml`: Kubernetes objects; `tar`: all of them and the authorities. */
export const KIT_FORMATS = ["sh", "ps1", "yaml", "tar"] as const;
export type KitFormat = (typeof KIT_FORMATS)[number];
