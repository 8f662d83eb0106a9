/** Where a person's own repairs are, unless the configuration says otherwise. */
export const ownRepairsDirectory = '/etc/rescuekit/repairs.d';
