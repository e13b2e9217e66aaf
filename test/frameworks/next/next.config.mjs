/** Its packages lie beside this folder. */
export default {
  turbopack: { root: new URL('..', import.meta.url).pathname },
  experimental: { turbopackFileSystemCacheForBuild: false },
};
