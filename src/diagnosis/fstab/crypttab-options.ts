/** Options of crypttab(5) in systemd and in Debian's cryptsetup, by name. */
export const crypttabOptions: ReadonlySet<string> = new Set(
  `bitlk bitlocker check checkargs cipher discard force-password-change fido2-cid fido2-device fido2-pin
   fido2-rp fido2-up fido2-uv hash header headless initramfs key-slot keyfile-erase keyfile-offset
   keyfile-size keyfile-timeout keyscript keyslot link-volume-key loud luks luks1 luks2 luksformat
   noauto nofail noearly no-read-workqueue no-write-workqueue noswap offset password-cache
   password-echo perf-no_read_workqueue perf-no_write_workqueue perf-same_cpu_crypt
   perf-submit_from_crypt_cpus pkcs11-uri plain precheck quiet read-only readonly ro
   same-cpu-crypt sector-size size skip submit-from-crypt-cpus swap tcrypt tcrypt-hidden
   tcrypt-keyfile tcrypt-system tcrypt-veracrypt timeout tmp token-timeout tpm2-device
   tpm2-measure-bank tpm2-measure-keyslot-nvpcr tpm2-measure-pcr tpm2-pcrlock tpm2-pcrs tpm2-pin
   tpm2-signature tries try-empty-password unlock-on-demand verify veracrypt veracrypt-pim fixate-volume-key
   _netdev allow-discards auto defaults`
    .trim()
    .split(/\s+/),
);
