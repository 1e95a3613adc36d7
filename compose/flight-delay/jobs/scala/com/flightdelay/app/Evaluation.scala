package com.flightdelay.app

import org.apache.spark.ml.functions.vector_to_array
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions._

/** How good scores are, from a histogram of them: score bin, flights on time, flights late; highest first. */
object Evaluation {
  private val Bins = 10000
  type Histogram = Seq[(Int, Long, Long)]

  def histogram(scored: DataFrame): Histogram =
    scored
      .groupBy(floor(vector_to_array(col("probability")).getItem(1) * Bins).cast("int").as("bin"))
      .agg(count("*").as("n"), sum("label").as("late"))
      .collect()
      .toSeq
      .map { row =>
        val late = row.getAs[Double]("late").toLong
        (row.getAs[Int]("bin"), row.getAs[Long]("n") - late, late)
      }
      .sortBy(-_._1)

  /** auc: area under the ROC curve (trapezoids). pr_auc: average precision. */
  def areas(bins: Histogram): Seq[(String, Double)] = {
    val (onTime, late) = (bins.map(_._2).sum.toDouble, bins.map(_._3).sum.toDouble)
    val (_, _, auc, average) = bins.foldLeft((0L, 0L, 0.0, 0.0)) { case ((tp, fp, auc, average), (_, negative, positive)) =>
      val (hits, alarms) = (tp + positive, fp + negative)
      (hits, alarms, auc + negative * (tp + positive / 2.0), average + positive * hits.toDouble / (hits + alarms))
    }
    Seq("auc" -> auc / (onTime * late), "pr_auc" -> average / late)
  }

  /** Measures when a score of threshold or more means late. */
  def at(bins: Histogram, threshold: Double): Seq[(String, Any)] = {
    val above = bins.filter(_._1 >= math.round(threshold * Bins))
    val (tp, fp) = (above.map(_._3).sum, above.map(_._2).sum)
    val (fn, tn) = (bins.map(_._3).sum - tp, bins.map(_._2).sum - fp)
    def share(part: Long, whole: Long): Double = if (whole == 0) 0.0 else part.toDouble / whole
    Seq(
      "precision" -> share(tp, tp + fp),
      "recall" -> share(tp, tp + fn),
      "f1" -> share(2 * tp, 2 * tp + fp + fn),
      "accuracy" -> share(tp + tn, tp + fp + fn + tn),
      "tp" -> tp,
      "fp" -> fp,
      "tn" -> tn,
      "fn" -> fn
    )
  }

  /** The threshold with the highest F1. */
  def bestThreshold(bins: Histogram): Double = {
    val late = bins.map(_._3).sum
    val flagged = bins.scanLeft((0, 0L, 0L)) { case ((_, tp, n), (score, onTime, hits)) => (score, tp + hits, n + onTime + hits) }
    flagged.tail.maxBy { case (score, tp, n) => (2.0 * tp / (n + late), score) }._1.toDouble / Bins
  }
}
