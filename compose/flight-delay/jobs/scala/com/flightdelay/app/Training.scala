package com.flightdelay.app

import java.nio.file.Path

import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.commons.io.FileUtils
import org.apache.spark.ml.classification._
import org.apache.spark.ml.feature._
import org.apache.spark.ml.linalg.Vector
import org.apache.spark.ml.stat.Summarizer
import org.apache.spark.ml.{Pipeline, Transformer}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.{DataFrame, SparkSession}

import Steps.{nameJobs, say, sparkPath}

/** Step 3: logistic regression, random forest and boosted trees on the same feature vector. */
object Training {
  private val Top = 12
  private type Classifier = ProbabilisticClassificationModel[Vector, _]

  def run(spark: SparkSession, flights: Path, prepared: Path, folder: Path, options: Options)(
      logged: (String, ObjectNode) => Unit
  ): ObjectNode = {
    val summary = Steps.readSummary(prepared, "preprocess")
    if (summary.get("from") != Steps.readSummary(flights, "load").get("id"))
      throw new BadInput(s"$prepared: older than the loaded flights. Run preprocess again: TASKS=preprocess,train")
    val parts = Features.Parts.map(part => part -> spark.read.parquet(sparkPath(prepared.resolve(s"part=$part")))).toMap
    nameJobs(spark, "train", "build the feature vector")
    val (stages, names) = vector(parts("train"), Json.strings(summary.get("numeric")), Json.strings(summary.get("categories")), options.pca)
    val size = summary.get("split").get("train")
    val late = size.get("delayed").asDouble / size.get("rows").asDouble
    val weight = when(col("label") === 1.0, 0.5 / late).otherwise(0.5 / (1 - late)).as("weight")
    val ready = parts.map { case (part, frame) =>
      part -> stages.foldLeft(frame)((f, stage) => stage.transform(f)).select(col("label"), col("features"), weight).cache()
    }
    val spread = ready("train").select(Summarizer.std(col("features"))).head().getAs[Vector](0).toArray
    val fitted = options.models.map { name =>
      val title = Options.Models.toMap.apply(name)
      val started = System.nanoTime
      nameJobs(spark, "train", s"fit $title")
      val model = fit(name, options.seed, ready("train"))
      nameJobs(spark, "train", s"evaluate $title")
      val Seq(validation, test) = Seq("validation", "test").map(part => Evaluation.histogram(model.transform(ready(part))))
      val threshold = options.threshold.getOrElse(Evaluation.bestThreshold(validation))
      val seconds = math.round((System.nanoTime - started) / 1e8) / 10.0
      val areas = Evaluation.areas(test)
      val result = Json.obj(
        "seconds" -> seconds,
        "threshold" -> threshold,
        "validation" -> Json.obj(Evaluation.areas(validation) ++ Evaluation.at(validation, threshold): _*),
        "test" -> Json.obj(areas ++ Evaluation.at(test, threshold): _*),
        "top" -> top(model, names, spread)
      )
      say(f"      $title: test AUC ${areas.head._2}%.3f, $seconds s")
      logged(name, result)
      (name, model, result)
    }
    val (best, model, result) = fitted.maxBy(_._3.get("validation").get("auc").asDouble)
    val threshold = math.min(math.max(result.get("threshold").asDouble, 0.0001), 0.9999)
    model.setThresholds(Array(1 - threshold, threshold))
    nameJobs(spark, "train", "save the best model")
    Steps.writtenWhole(folder) { part =>
      // A Pipeline of transformers only is fitted without touching data; its PipelineModel is what is saved.
      val pipeline = new Pipeline().setStages((stages :+ model).toArray).fit(parts("train").limit(0))
      pipeline.write.save(s"file:$part")
      FileUtils.listFiles(part.toFile, Array("crc"), true).forEach(file => FileUtils.deleteQuietly(file))
    }
    ready.values.foreach(_.unpersist())
    val test = summary.get("split").get("test")
    val rate = test.get("delayed").asDouble / test.get("rows").asDouble
    Json.obj(
      "models" -> Json.obj(fitted.map { case (name, _, result) => name -> result }: _*),
      "best" -> best,
      "baseline" -> Json.obj("accuracy" -> (1 - rate), "delayed" -> rate),
      "vector" -> names
    )
  }

  private def vector(
      train: DataFrame,
      numeric: Seq[String],
      categories: Seq[String],
      pca: Option[Int]
  ): (Seq[Transformer], Seq[String]) = {
    val (indices, hot) = (categories.map(_ + "_index").toArray, categories.map(_ + "_hot").toArray)
    val indexer = new StringIndexer().setInputCols(categories.toArray).setOutputCols(indices).setHandleInvalid("keep").fit(train)
    val indexed = indexer.transform(train)
    // dropLast (the default) leaves out only the "unseen" category that handleInvalid adds.
    val encoder = new OneHotEncoder().setInputCols(indices).setOutputCols(hot).fit(indexed)
    val assembler = new VectorAssembler().setInputCols((numeric ++ hot).toArray).setOutputCol(if (pca.isEmpty) "features" else "plain")
    val names = numeric ++ categories.zip(indexer.labelsArray.toSeq).flatMap { case (name, labels) => labels.map(l => s"$name=$l") }
    pca.fold((Seq[Transformer](indexer, encoder, assembler), names)) { k =>
      if (k > names.size)
        throw new BadInput(s"--pca $k: the feature vector has ${names.size} entries. Choose 1 to ${names.size}.")
      val assembled = assembler.transform(encoder.transform(indexed))
      val scaler = new StandardScaler().setInputCol("plain").setOutputCol("scaled").setWithMean(true).fit(assembled)
      val reducer = new PCA().setK(k).setInputCol("scaled").setOutputCol("features").fit(scaler.transform(assembled))
      (Seq(indexer, encoder, assembler, scaler, reducer), (1 to k).map(i => s"pc$i"))
    }
  }

  private def fit(name: String, seed: Int, train: DataFrame): Classifier = name match {
    case "lr" => new LogisticRegression().setWeightCol("weight").setMaxIter(50).setRegParam(0.005).fit(train)
    case "rf" =>
      new RandomForestClassifier().setWeightCol("weight").setNumTrees(40).setMaxDepth(8)
        .setMinInstancesPerNode(10).setSubsamplingRate(0.7).setSeed(seed).fit(train)
    case _ =>
      new GBTClassifier().setWeightCol("weight").setMaxIter(40).setMaxDepth(3).setStepSize(0.1)
        .setMinInstancesPerNode(50).setSubsamplingRate(0.7).setSeed(seed).fit(train)
  }

  /** The features that weigh most: importance of trees, coefficient per standard deviation of lr. */
  private def top(model: Classifier, names: Seq[String], spread: Array[Double]): Seq[ObjectNode] = {
    val weights = model match {
      case lr: LogisticRegressionModel => lr.coefficients.toArray.zip(spread).map { case (w, s) => w * s }
      case rf: RandomForestClassificationModel => rf.featureImportances.toArray
      case gbt: GBTClassificationModel => gbt.featureImportances.toArray
      case other => throw new IllegalStateException(s"no weights for ${other.getClass}")
    }
    names.zip(weights).filter(_._2 != 0).sortBy(pair => -math.abs(pair._2)).take(Top).map { case (name, weight) =>
      Json.obj("feature" -> name, "weight" -> math.round(weight * 1e4) / 1e4)
    }
  }
}
