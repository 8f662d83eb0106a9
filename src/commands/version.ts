import packageFile from '../../package.json' with { type: 'json' };

/** Version of rescuekit, from package.json. */
export const { version } = packageFile;
