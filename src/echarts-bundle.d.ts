/** The one-file build of echarts: it loads six times as fast as the package's modules, and carries no types of its own. */
declare module "echarts/dist/echarts.esm.min" {
  export * from "echarts";
}
