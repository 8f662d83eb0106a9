/** Types of GPT partitions by what systemd takes them for, for all architectures that it knows. */
const types = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Of root file systems (Discoverable Partitions Specification). */
export const rootTypes = types(`
  44479540-f297-41b2-9af7-d131d5f0458a 4f68bce3-e8cd-4db1-96e7-fbcaf984b709
  69dad710-2ce4-4e3c-b16c-21a1d49abed3 b921b045-1df0-41c3-af44-4c6f280d3fae
  72ec70a6-cf74-40e6-bd49-4bda08e8f224 c31c45e6-3f39-412e-80fb-4809c4980599
  5eead9a9-fe09-4a1e-a1d7-520d00531306 77055800-792c-4f94-b39a-98c91b762bb6`);

/** Of /usr: the same specification, and the first one is that of Container Linux and Flatcar. */
export const usrTypes = types(`
  5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6
  75250d76-8cc6-458e-bd66-bd47cc81a812 8484680c-9521-48c6-9c11-b0720656f69e
  7d0359a3-02b3-4f0a-865c-654403e70625 b0e01050-ee5f-4390-949a-9101b17104e9
  beaec34b-8442-439b-a40b-984381ed097d ee2b9983-21e8-4153-86d9-b6901a54d1ce
  8a4f5770-50aa-4ed3-874a-99b710db6fea e611c702-575c-4cbe-9a46-434fa0bf7e3f`);

/** Extended boot loader partition, XBOOTLDR (the same specification). */
export const extendedBootType = 'bc13c2ff-59e6-4262-a352-b275fd6f7172';
