package com.flightdelay.app

import java.nio.channels.{FileChannel, OverlappingFileLockException}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, NoSuchFileException, Path, StandardCopyOption, StandardOpenOption}

import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.commons.io.FileUtils
import org.apache.spark.sql.SparkSession

/** Step folders: written whole or not at all, with a summary beside the data. */
object Steps {
  val Summary = "_step.json"

  def say(line: String): Unit = { println(line); Console.out.flush() }

  /** Give Spark's next jobs and stages the name of what they are for. */
  def nameJobs(spark: SparkSession, task: String, what: String): Unit =
    spark.sparkContext.setJobGroup(task, s"$task: $what")

  /** A local path for Spark to read, with the characters escaped that it would take for a pattern. */
  def sparkPath(path: Path): String = "file:" + path.toString.replaceAll("([\\[\\]{}*?\\\\])", "\\\\$1")

  /** Give a .part folder to write into; it takes folder's place only once write has ended well. */
  def writtenWhole(folder: Path)(write: Path => Unit): Unit = {
    val part = folder.resolveSibling(s"${folder.getFileName}.part")
    val old = folder.resolveSibling(s"${folder.getFileName}.old.part")
    def clean(): Unit = Seq(part, old).foreach(p => FileUtils.deleteQuietly(p.toFile))
    clean()
    try {
      write(part)
      if (Files.exists(folder)) Files.move(folder, old)
      Files.move(part, folder)
    } finally clean()
  }

  def writeText(path: Path, text: String): Unit = {
    val part = path.resolveSibling(s"${path.getFileName}.part")
    Files.write(part, text.getBytes(UTF_8))
    Files.move(part, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE)
  }

  /** Store a step's summary; its id lets the next step see whether it belongs to it. */
  def writeSummary(folder: Path, summary: ObjectNode): Unit = {
    val stamped = Json.obj("id" -> java.lang.Long.toHexString(System.currentTimeMillis * 1000000 + System.nanoTime % 1000000))
    stamped.setAll[ObjectNode](summary)
    Files.write(folder.resolve(Summary), Json.write(stamped).getBytes(UTF_8))
  }

  def stored(folder: Path): Option[ObjectNode] =
    try Some(Json.read(new String(Files.readAllBytes(folder.resolve(Summary)), UTF_8)))
    catch { case _: NoSuchFileException => None }

  /** The summary of a finished step. Raises BadInput that says which step to run first. */
  def readSummary(folder: Path, task: String): ObjectNode = stored(folder).getOrElse {
    val needed = Options.Tasks.take(Options.Tasks.indexOf(task) + 1).mkString(",")
    throw new BadInput(s"$folder: not there. Run $task first: TASKS=$needed")
  }

  /** Hold the output folder while work runs: two jobs must not write into it at once. */
  def onlyWriter[T](output: Path)(work: => T): T = {
    val channel =
      try {
        Files.createDirectories(output)
        FileChannel.open(output.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)
      } catch {
        case problem: java.io.IOException =>
          throw new BadInput(s"$output: cannot be written by ${System.getProperty("user.name")}: ${problem.getClass.getSimpleName}.")
      }
    try {
      val lock = try channel.tryLock() catch { case _: OverlappingFileLockException => null }
      if (lock == null)
        throw new BadInput(s"$output: another job is writing here. Wait for it, or choose another --output.")
      work
    } finally channel.close()
  }
}
