package com.flightdelay.app

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import com.fasterxml.jackson.databind.node.{ArrayNode, ObjectNode}

import scala.jdk.CollectionConverters._

/** JSON by Jackson, which is among Spark's own jars. */
object Json {
  private val mapper = new ObjectMapper

  def read(text: String): ObjectNode = mapper.readTree(text).asInstanceOf[ObjectNode]

  def write(node: JsonNode): String =
    mapper.writerWithDefaultPrettyPrinter.writeValueAsString(node) + "\n"

  def obj(fields: (String, Any)*): ObjectNode = {
    val node = mapper.createObjectNode
    fields.foreach { case (name, value) => node.set[JsonNode](name, any(value)) }
    node
  }

  def any(value: Any): JsonNode = value match {
    case null | None => mapper.nullNode
    case node: JsonNode => node
    case Some(inner) => any(inner)
    case text: String => mapper.getNodeFactory.textNode(text)
    case number: Double => mapper.getNodeFactory.numberNode(number)
    case number: Long => mapper.getNodeFactory.numberNode(number)
    case number: Int => mapper.getNodeFactory.numberNode(number)
    case flag: Boolean => mapper.getNodeFactory.booleanNode(flag)
    case items: Seq[_] => items.foldLeft(mapper.createArrayNode)((array: ArrayNode, item) => array.add(any(item)))
    case other => throw new IllegalArgumentException(s"no JSON for ${other.getClass}")
  }

  /** The fields of an object in their order; none where the node is missing. */
  def fields(node: JsonNode): Seq[(String, JsonNode)] =
    if (node == null) Nil else node.fieldNames.asScala.toList.map(name => name -> node.get(name))

  def strings(node: JsonNode): Seq[String] = items(node).map(_.asText)

  def items(node: JsonNode): Seq[JsonNode] = if (node == null) Nil else node.elements.asScala.toList
}
