// The Family tree, with what was measured on the data set that is asked for.
async function lookAtFamily({ dataset }) {
  const views = await load("family");
  return fresh(views.find((one) => one.dataset === dataset) ?? views[0]);
}
