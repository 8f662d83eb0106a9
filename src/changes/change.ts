/** Owner and permission bits; what is left out stays as it is, or takes the default of a new file. */
export type Attributes = {
  /** Permission bits including setuid, setgid and sticky. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
};

/**
 * One thing that is to be different on the target. Paths are those of the system; a link in the
 * directory part is followed inside the system, a link at the end is the thing itself.
 */
export type Change =
  /** Sets the whole content. A file that is there keeps owner, mode, ACL and extended attributes. */
  | {
      readonly kind: 'write-file';
      readonly path: string;
      /** A string may be an edited `losslessText`; `inBytes` makes its bytes of it. */
      readonly content: string | Buffer;
      readonly attributes?: Attributes;
    }
  | { readonly kind: 'make-link'; readonly path: string; readonly to: string }
  | {
      readonly kind: 'make-directory';
      readonly path: string;
      readonly attributes: Required<Attributes>;
    }
  /** A file, a link, or an empty directory. */
  | { readonly kind: 'remove'; readonly path: string }
  | {
      readonly kind: 'set-attributes';
      readonly path: string;
      readonly attributes: Attributes;
      /** File flags to clear (chattr(1)). */
      readonly clearFlags?: readonly ('immutable' | 'append-only')[];
    }
  /** Takes an entry as it is on the host, with all its attributes: from a workbench or a layer. */
  | { readonly kind: 'copy-entry'; readonly path: string; readonly from: string }
  /** Bytes of a block device outside of any file system: boot code, a partition table's header. */
  | {
      readonly kind: 'write-bytes';
      /** Device node here. */
      readonly device: string;
      readonly offsetBytes: number;
      readonly bytes: Buffer;
      /** What these bytes are, for a person: "boot code of the MBR". */
      readonly what: string;
    };
