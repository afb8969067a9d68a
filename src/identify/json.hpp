#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include <lrid/io/results.hpp>

namespace lrid::identify {

using Json = nlohmann::ordered_json;

inline Json condition_to_json(const std::map<std::string, io::ConditionValue>& condition) {
  Json json = Json::object();
  for (const auto& [key, value] : condition)
    json[key] = std::visit([](const auto& v) -> Json { return v; }, value);
  return json;
}

inline std::map<std::string, io::ConditionValue> condition_from_json(const Json& json) {
  std::map<std::string, io::ConditionValue> condition;
  for (const auto& [key, value] : json.items()) {
    if (value.is_boolean())
      condition[key] = value.get<bool>();
    else if (value.is_number_integer())
      condition[key] = value.get<std::int64_t>();
    else if (value.is_number())
      condition[key] = value.get<double>();
    else
      condition[key] = value.get<std::string>();
  }
  return condition;
}

}  // namespace lrid::identify
