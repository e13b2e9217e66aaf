/** What is never a reason to restart, whatever else is said: by name, so that it is decided before a directory is opened. */

/** Version control, packages, coverage, caches: a program does not change with them, and some hold more directories than all the rest. */
const directoryNames: ReadonlySet<string> = new Set([
  ...['.git', '.hg', '.svn', '.bzr', '.jj', '.sl', '_darcs', 'CVS'],
  ...['node_modules', 'bower_components', 'jspm_packages'],
  ...['coverage', '.nyc_output', '.sass-cache', '.cache', '.parcel-cache', '.turbo', '.next', '.nuxt', '.svelte-kit'],
  ...[
    '__pycache__',
    '.mypy_cache',
    '.pytest_cache',
    '.ruff_cache',
    '.tox',
    '.venv',
    '.gradle',
    '.idea',
    '.vscode',
    '.vs',
  ],
]);

/**
 * vim's swap files and its probe whether it may write (4913), Emacs' locks, autosaves and backups, JetBrains' safe write, Kate, gedit, LibreOffice; what
 * desktops and package managers leave.
 */
const fileName =
  /^(?:4913|\.#.*|#.*#|.*~|.*\.sw[nopx]|.*\.kate-swp|.*___jb_(?:tmp|old|bak)___|\.goutputstream-.*|\.~lock\..*|\.DS_Store|Thumbs\.db|.*\.py[co]|(?:npm|yarn|pnpm)-(?:debug|error)\.log.*)$/;

export const isBuiltInDirectory = (name: string): boolean => directoryNames.has(name);
export const isEditorsFile = (name: string): boolean => fileName.test(name);
