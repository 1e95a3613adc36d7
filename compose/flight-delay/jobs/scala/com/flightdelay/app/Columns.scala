package com.flightdelay.app

import org.apache.commons.text.similarity.LevenshteinDistance

/** One way in which a role is given: its kind and its known column names. */
final case class Source(kind: String, names: Seq[String])

/** A column that the job reads, whatever it is called in the file. */
final case class Role(name: String, what: String, required: Boolean, sources: Seq[Source]) {
  def expected: String = sources.map(_.names.head).mkString(" or ")
}

/** The BTS On-Time Performance columns under each of their names; the list is columns.json, as in Python. */
object Columns {

  val Roles: Seq[Role] = {
    val stream = getClass.getResourceAsStream("/columns.json")
    require(stream != null, "columns.json is not in the JAR: build it with build_jar.py")
    val text = try new String(stream.readAllBytes, "UTF-8") finally stream.close()
    Json.fields(Json.read(text)).map { case (name, role) =>
      val sources = Json.items(role.get("kinds")).map(k => Source(k.get("kind").asText, Json.strings(k.get("names"))))
      Role(name, role.get("what").asText, role.get("required").asBoolean, sources)
    }
  }

  def normal(name: String): String = name.toLowerCase.replaceAll("[^a-z0-9]", "")

  /** For each role the columns that serve it: source number to column position. */
  def matching(header: Seq[String]): Map[String, Map[Int, Int]] = {
    val positions = header.map(normal).zipWithIndex.reverse.toMap
    Roles.map { role =>
      role.name -> role.sources.zipWithIndex.flatMap { case (source, number) =>
        source.names.map(normal).flatMap(positions.get).headOption.map(number -> _)
      }.toMap
    }.toMap
  }

  def missing(columns: Map[String, Map[Int, Int]]): Seq[Role] =
    Roles.filter(role => role.required && columns(role.name).isEmpty)

  /** At least half of the required roles are there: then it is a flights file, perhaps a broken one. */
  def looksLikeFlights(columns: Map[String, Map[Int, Int]]): Boolean = {
    val required = Roles.count(_.required)
    required - missing(columns).size >= required / 2.0
  }

  /** Up to two columns of the header whose names come close to what the role expects. */
  def nearest(role: Role, header: Seq[String]): Seq[String] = {
    val distance = LevenshteinDistance.getDefaultInstance
    val wanted = role.sources.flatMap(_.names).map(normal)
    header
      .filter(_.trim.nonEmpty)
      .map(name => name -> wanted.map(w => distance.apply(normal(name), w).toDouble / w.length).min)
      .filter(_._2 <= 0.35)
      .sortBy(_._2)
      .take(2)
      .map(_._1)
  }
}
