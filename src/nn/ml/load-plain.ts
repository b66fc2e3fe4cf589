/** What makes plain models and their estimators of their folders; each module is imported when a stage of its kind is loaded. */
import type { LoadedStage } from './saved-stage.js'

export const plainLoaders = {
  DecisionTreeClassificationModel: async (saved: LoadedStage) =>
    (await import('./plain/decision-tree.js')).DecisionTreeClassificationModel.load(saved),
  DecisionTreeClassifier: async ({ params }: LoadedStage) =>
    new (await import('./plain/decision-tree.js')).DecisionTreeClassifier(params),
  DecisionTreeRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/decision-tree.js')).DecisionTreeRegressionModel.load(saved),
  DecisionTreeRegressor: async ({ params }: LoadedStage) =>
    new (await import('./plain/decision-tree.js')).DecisionTreeRegressor(params),
  GBTClassificationModel: async (saved: LoadedStage) =>
    (await import('./plain/gradient-boosted-trees.js')).GBTClassificationModel.load(saved),
  GBTClassifier: async ({ params }: LoadedStage) =>
    new (await import('./plain/gradient-boosted-trees.js')).GBTClassifier(params),
  GBTRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/gradient-boosted-trees.js')).GBTRegressionModel.load(saved),
  GBTRegressor: async ({ params }: LoadedStage) =>
    new (await import('./plain/gradient-boosted-trees.js')).GBTRegressor(params),
  KMeans: async ({ params }: LoadedStage) => new (await import('./plain/k-means.js')).KMeans(params),
  KMeansModel: async (saved: LoadedStage) => (await import('./plain/k-means.js')).KMeansModel.load(saved),
  LinearRegression: async ({ params }: LoadedStage) =>
    new (await import('./plain/linear-regression.js')).LinearRegression(params),
  LinearRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/linear-regression.js')).LinearRegressionModel.load(saved),
  LinearSVC: async ({ params }: LoadedStage) => new (await import('./plain/linear-svc.js')).LinearSVC(params),
  LinearSVCModel: async (saved: LoadedStage) => (await import('./plain/linear-svc.js')).LinearSVCModel.load(saved),
  LogisticRegression: async ({ params }: LoadedStage) =>
    new (await import('./plain/logistic-regression.js')).LogisticRegression(params),
  LogisticRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/logistic-regression.js')).LogisticRegressionModel.load(saved),
  RandomForestClassificationModel: async (saved: LoadedStage) =>
    (await import('./plain/random-forest.js')).RandomForestClassificationModel.load(saved),
  RandomForestClassifier: async ({ params }: LoadedStage) =>
    new (await import('./plain/random-forest.js')).RandomForestClassifier(params),
  RandomForestRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/random-forest.js')).RandomForestRegressionModel.load(saved),
  RandomForestRegressor: async ({ params }: LoadedStage) =>
    new (await import('./plain/random-forest.js')).RandomForestRegressor(params),
}
