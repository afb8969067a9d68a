#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/results.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/measure/export.hpp>

#include "file_kind.hpp"

namespace lrid::measure {

namespace {

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}
template <class Number>
requires std::is_arithmetic_v<Number> std::string field(Number value) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
  }
  return fmt::format("{}", value);  // the shortest decimal that reads back
}
template <class... Values>
std::string fields(const Values&... values) {
  return join({field(values)...}, ",");
}

/// Writes lines; WorkError when the output takes no more.
class Lines {
 public:
  explicit Lines(std::ostream& out) : out_(out) {}
  void write(const std::string& line) {
    out_ << line << '\n';
    if (!out_) work_failed("cannot write the table: the output takes no more");
  }

 private:
  std::ostream& out_;
};

/// Rows of values that have names, each row of some network and point.
class Table {
 public:
  /// `quantity`: the long form's column of names.
  Table(std::ostream& out, TableForm form, const std::string& identity, const std::string& quantity,
        const std::vector<std::string>& names)
      : lines_(out), form_(form) {
    for (const std::string& name : names) names_.push_back(field(name));
    lines_.write(identity + "," + (form == TableForm::wide ? join(names_, ",") : quantity + ",value"));
  }

  [[nodiscard]] std::size_t columns() const { return names_.size(); }
  /// `identity` in the order of the header's.
  template <class Number>
  void row(const std::string& identity, const Number* values) {
    std::string line = identity;
    for (std::size_t i = 0; i < columns(); ++i)
      if (form_ == TableForm::wide)
        line += "," + field(values[i]);
      else
        lines_.write(identity + "," + names_[i] + "," + field(values[i]));
    if (form_ == TableForm::wide) lines_.write(line);
  }

 private:
  Lines lines_;
  TableForm form_;
  std::vector<std::string> names_;
};

/// Whether any units were counted or any noise is relative.
bool says_something(const std::vector<std::int64_t>& units, const std::vector<std::string>& noise_units) {
  return std::ranges::any_of(units, [](std::int64_t n) { return n != 0; }) ||
         std::ranges::any_of(noise_units, [](const std::string& unit) { return unit != "absolute"; });
}

/// Of one network, the row's columns that hold for all of its values.
std::string network_fields(const std::filesystem::path& path, const io::Trajectory& t) {
  return fields(path.stem().string(), t.architecture, t.task, t.dataset, t.learning_rule);
}

void export_trajectory(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Trajectory t = io::read_trajectory(path);
  // Columns that say nothing are left out.
  const bool counted_units = t.imperfect && says_something(t.imperfect->units, {t.imperfect->noise_unit});
  Table table(
      out, form,
      std::string(
          "network,architecture,task,dataset,learning_rule,layer,layer_position,unit_fraction,noise,") +
          (counted_units ? "units,noise_unit," : "") + "point,step,epoch",
      "observable", t.observable_names);
  const std::string network = network_fields(path, t);
  const auto write = [&](double unit_fraction, double noise, std::int64_t units, const std::string& unit,
                         const float* values) {
    for (std::size_t point = 0; point < t.step.size(); ++point)
      for (std::size_t layer = 0; layer < t.layers.size(); ++layer, values += table.columns())
        table.row(
            network + "," +
                fields(t.layers[layer], static_cast<int>(t.layer_position[layer]), unit_fraction, noise) +
                (counted_units ? "," + fields(units, unit) : "") + "," +
                fields(point, t.step[point], t.epoch[point]),
            values);
  };
  write(1, 0, 0, "absolute", t.observables.data());
  if (!t.imperfect) return;
  for (std::size_t i = 0; i < t.imperfect->noise.size(); ++i)
    write(t.imperfect->unit_fraction[i], t.imperfect->noise[i],
          t.imperfect->units.empty() ? 0 : t.imperfect->units[i], t.imperfect->noise_unit,
          t.imperfect->observables.data() + i * t.observables.size());
}

void export_metrics(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Trajectory t = io::read_trajectory(path);
  std::vector<std::string> names;
  for (const auto& [name, values] : t.metrics) names.push_back(name);
  Table table(out, form, "network,architecture,task,dataset,learning_rule,point,step,epoch", "metric", names);
  const std::string network = network_fields(path, t);
  std::vector<double> row;
  for (std::size_t point = 0; point < t.step.size(); ++point) {
    row.clear();
    for (const auto& [name, values] : t.metrics) row.push_back(values[point]);
    table.row(network + "," + fields(point, t.step[point], t.epoch[point]), row.data());
  }
}

void export_alignment(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Trajectory t = io::read_trajectory(path);
  if (!t.alignment)
    bad_input("{}: {} has no backward kernel, expected a rule that has one for its alignment", path.string(),
              t.learning_rule);
  Table table(out, form,
              "network,architecture,task,dataset,learning_rule,layer,layer_position,point,step,epoch",
              "measure", {"weight_angle", "error_angle", "norm_ratio"});
  const std::string network = network_fields(path, t);
  std::size_t i = 0;
  for (std::size_t point = 0; point < t.step.size(); ++point)
    for (std::size_t layer = 0; layer < t.layers.size(); ++layer, ++i) {
      const std::array row = {t.alignment->weight_angle[i], t.alignment->error_angle[i],
                              t.alignment->norm_ratio[i]};
      table.row(network + "," +
                    fields(t.layers[layer], static_cast<int>(t.layer_position[layer]), point, t.step[point],
                           t.epoch[point]),
                row.data());
    }
}

void export_dataset(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Dataset d = io::read_dataset(path);
  const io::SampleMeta& meta = d.meta;
  const bool counted_units = says_something(meta.units, meta.noise_unit);
  Table table(
      out, form,
      std::string("network,architecture,task,dataset,learning_rule,batch_size,model_seed,dataset_seed,"
                  "final_accuracy,layer,layer_position,unit_fraction,noise,") +
          (counted_units ? "units,noise_unit," : "") + "point",
      "observable", d.observable_names);
  const float* values = d.x.data();
  for (std::size_t i = 0; i < meta.network.size(); ++i) {
    const std::string sample =
        fields(meta.network[i], meta.architecture[i], meta.task[i], meta.dataset[i], meta.learning_rule[i],
               meta.batch_size[i], meta.model_seed[i], meta.dataset_seed[i], meta.final_accuracy[i],
               meta.layer[i], static_cast<int>(meta.layer_position[i]), meta.unit_fraction[i],
               meta.noise[i]) +
        (counted_units ? "," + fields(meta.units[i], meta.noise_unit[i]) : "");
    for (std::int64_t point = 0; point < d.points; ++point, values += table.columns())
      table.row(sample + "," + field(point), values);
  }
}

void export_observables(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Observables o = io::read_observables(path);
  const bool counted_units = says_something({o.units}, {o.noise_unit});
  Table table(out, form,
              std::string("network,layer,unit_fraction,noise,") + (counted_units ? "units,noise_unit," : "") +
                  "seed,point",
              "observable", o.observable_names);
  const float* values = o.values.data();
  for (std::int64_t point = 0; point < o.points; ++point)
    for (const std::string& layer : o.layers) {
      table.row(fields(path.stem().string(), layer, o.unit_fraction, o.noise) +
                    (counted_units ? "," + fields(o.units, o.noise_unit) : "") + "," + fields(o.seed, point),
                values);
      values += table.columns();
    }
}

std::string field(const io::ConditionValue& value) {
  return std::visit([](const auto& held) { return field(held); }, value);
}

/// Calls `visit(name, figure)` for what a row of results has.
template <class Visit>
void for_each_figure(const io::ResultRow& row, const Visit& visit) {
  visit("accuracy", row.accuracy);
  for (const auto& [name, figure] : row.extra) visit(name, figure);
}

void export_results(const std::filesystem::path& path, std::ostream& out, TableForm form) {
  const io::Results results = io::read_results(path);
  std::set<std::string> conditions, figures, with_interval, with_p;  // those of any row
  for (const io::ResultRow& row : results.rows) {
    for (const auto& [key, value] : row.condition) conditions.insert(key);
    for_each_figure(row, [&](const std::string& name, const io::Figure& figure) {
      figures.insert(name);
      if (figure.interval) with_interval.insert(name);
      if (figure.p) with_p.insert(name);
    });
  }
  std::string header = "experiment,classifier";
  for (const std::string& key : conditions) header += "," + field(key);
  header += ",n_train,n_test,n_networks";
  if (form == TableForm::wide)
    for (const std::string& name : figures) {
      header += "," + field(name) + "," + field(name + "_sem");
      if (with_interval.contains(name)) header += "," + field(name + "_low") + "," + field(name + "_high");
      if (with_p.contains(name)) header += "," + field(name + "_p");
    }
  else
    header += ",figure,split,value";
  Lines lines(out);
  lines.write(header);
  for (const io::ResultRow& row : results.rows) {
    std::string identity = fields(results.experiment, row.classifier);
    for (const std::string& key : conditions) {
      const auto found = row.condition.find(key);
      identity += "," + (found == row.condition.end() ? std::string() : field(found->second));
    }
    identity += "," + fields(row.n_train, row.n_test, row.n_networks);
    if (form == TableForm::wide) {
      std::map<std::string, io::Figure> known;
      for_each_figure(row, [&](const std::string& name, const io::Figure& figure) { known[name] = figure; });
      for (const std::string& name : figures) {
        const auto found = known.find(name);
        const io::Figure* figure = found == known.end() ? nullptr : &found->second;
        identity += "," + (figure == nullptr ? "," : fields(figure->mean, figure->sem));
        if (with_interval.contains(name))
          identity += "," + (figure == nullptr || !figure->interval
                                 ? ","
                                 : fields(figure->interval->front(), figure->interval->back()));
        if (with_p.contains(name))
          identity += "," + (figure == nullptr || !figure->p ? "" : field(*figure->p));
      }
      lines.write(identity);
      continue;
    }
    const auto write = [&](const std::string& name, const std::string& split, double value) {
      lines.write(identity + "," + fields(name, split, value));
    };
    for_each_figure(row, [&](const std::string& name, const io::Figure& figure) {
      write(name, "mean", figure.mean);
      write(name, "sem", figure.sem);
      if (figure.interval) {
        write(name, "low", figure.interval->front());
        write(name, "high", figure.interval->back());
      }
      if (figure.p) write(name, "p", *figure.p);
      for (std::size_t i = 0; i < figure.splits.size(); ++i) write(name, std::to_string(i), figure.splits[i]);
    });
    for (const auto& [feature, importance] : row.importances)
      write("importance_" + feature, "mean", importance);
  }
}

}  // namespace

void export_csv(const std::filesystem::path& path, std::ostream& out, TableForm form, TableOf of) {
  require_input_file(path, "a file of lrid's");
  const bool is_results = is_json(path);
  const std::string format = is_results ? "" : io::hdf5::InputFile(path).format();
  if (of != TableOf::values && format != "lrid-trajectory")
    bad_input("{}: {}, expected a trajectory: other files have neither metrics nor alignment", path.string(),
              is_results ? "results" : fmt::format("format is \"{}\"", format));
  if (is_results)
    export_results(path, out, form);
  else if (of == TableOf::metrics)
    export_metrics(path, out, form);
  else if (of == TableOf::alignment)
    export_alignment(path, out, form);
  else if (format == "lrid-trajectory")
    export_trajectory(path, out, form);
  else if (format == "lrid-dataset")
    export_dataset(path, out, form);
  else if (format == "lrid-observables")
    export_observables(path, out, form);
  else
    bad_input("{}: format is \"{}\", expected lrid-trajectory, lrid-dataset, lrid-observables or results",
              path.string(), format);
  out.flush();
  if (!out) work_failed("cannot write the table: the output takes no more");
}

}  // namespace lrid::measure
