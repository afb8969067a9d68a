#include "grid_fold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>

namespace lrid::stats {

namespace {

/// A vector may be written behind the values that are kept.
constexpr std::size_t slack = 64;

bool has_noise(const GridPlan& plan, const GridPlan::Subset& subset) {
  return std::ranges::any_of(subset.measurements, [&](std::size_t measurement) {
    return plan.measurements()[measurement].noise != 0;
  });
}

}  // namespace

// --- GridPlan ------------------------------------------------------------------------------------------

GridPlan::GridPlan(std::int64_t n, const UnitOrder& order, const std::vector<Imperfection>& measurements)
    : size_(n), order_(order), measurements_(measurements) {
  if (n > std::numeric_limits<std::uint32_t>::max())
    bad_input("a set of {} values: expected fewer than 2^32", n);
  for (std::size_t measurement = 0; measurement < measurements.size(); ++measurement) {
    const Imperfection& imperfection = measurements[measurement];
    const auto same = std::ranges::find_if(subsets_, [&](const Subset& subset) {
      const Imperfection& other = measurements[subset.measurements.front()];
      return other.seed == imperfection.seed && other.sees_the_same_units(imperfection);
    });
    if (same != subsets_.end())
      same->measurements.push_back(measurement);
    else
      subsets_.push_back({imperfection.seed,
                          UnitSubset(n, imperfection.kept(n), imperfection.subset_seed(), order),
                          {measurement},
                          {},
                          {}});
  }
  std::ranges::stable_sort(subsets_, {}, &Subset::seed);
  relative_ = std::ranges::any_of(measurements, [](const Imperfection& measurement) {
    return measurement.noise != 0 && measurement.noise_unit == NoiseUnit::relative;
  });

  for (Subset& subset : subsets_) {
    const std::size_t wanted = sample_size(subset.units.count());
    for (std::size_t k = 0; subset.sample.size() < wanted; ++k) {
      const std::size_t unit = evenly_drawn(k, to_size(n));
      if (!subset.units[to_index(unit)]) continue;
      subset.sample.push_back(static_cast<std::uint32_t>(unit));
      subset.sample_canonical.push_back(static_cast<std::uint32_t>(order.canonical_index(to_index(unit))));
    }
  }
}

// --- Row -----------------------------------------------------------------------------------------------

template <class T>
Row<T>::Row(const View& view, std::int64_t row) : type_(view.type), size_(to_size(view.columns)) {
  const std::size_t bytes = view.type == ElementType::f64 ? 8 : view.type == ElementType::f32 ? 4 : 2;
  data_ = static_cast<const char*>(view.data) + to_size(row * view.row_stride) * bytes;
}

template <class T>
void Row<T>::widen(std::size_t begin, std::size_t count, float* out) const {
  const KernelTable& table = kernel_table();
  const auto convert = type_ == ElementType::f16 ? table.widen_half : table.widen_brain;
  convert(static_cast<const std::uint16_t*>(data_) + begin, count, out);
}

template <class T>
T Row<T>::operator[](std::size_t i) const {
  if (!narrow()) return static_cast<const T*>(data_)[i];
  float wide;
  widen(i, 1, &wide);
  return static_cast<T>(wide);
}

template <class T>
std::span<const T> Row<T>::block(std::size_t begin, std::size_t count, std::vector<T>& buffer) const {
  if (!narrow()) return {static_cast<const T*>(data_) + begin, count};
  if constexpr (std::is_same_v<T, float>) {
    buffer.resize(count);
    widen(begin, count, buffer.data());
  }
  return buffer;
}

// --- GridFold ------------------------------------------------------------------------------------------

namespace {

/// Standard deviation (dividing by n) of the values that are not NaN or, unless those are left out, of all.
template <class T>
double standard_deviation(const Row<T>& row, Missing missing) {
  std::vector<T> buffer;
  const auto sum = [&](const auto& term) {
    double total = 0;
    for (std::size_t begin = 0; begin < row.size(); begin += block_size)
      for (const T value : row.block(begin, std::min(block_size, row.size() - begin), buffer))
        if (missing == Missing::propagate || !std::isnan(value)) total += term(static_cast<double>(value));
    return total;
  };
  const double n = sum([](double) { return 1.0; });
  const double mean = sum([](double value) { return value; }) / n;
  return std::sqrt(sum([&](double value) { return (value - mean) * (value - mean); }) / n);
}

}  // namespace

template <class T>
double GridFold<T>::noise_sd(const Imperfection& measurement) const {
  return measurement.noise_unit == NoiseUnit::relative ? measurement.noise * set_sd_ : measurement.noise;
}

template <class T>
void GridFold<T>::measure(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key, Missing missing,
                          const OnBlock& on_block, std::span<Distribution> results) {
  if (plan.relative()) set_sd_ = standard_deviation(row, missing);
  if (missing == Missing::leave_out) {
    bool lost = false;
    for (std::size_t begin = 0; begin < row.size() && !lost; begin += block_size)
      lost = std::ranges::any_of(row.block(begin, std::min(block_size, row.size() - begin), block_),
                                 [](T v) { return std::isnan(v); });
    if (lost) return measure_present(plan, row, noise_key, results);
  }
  start(plan, row, noise_key);
  bool first = true;
  do {
    pass(plan, row, noise_key, first ? on_block : OnBlock());
    first = false;
  } while (!std::ranges::all_of(folds_, &SetFold<T>::done));
  for (std::size_t measurement = 0; measurement < folds_.size(); ++measurement)
    results[measurement] = folds_[measurement].result();
}

template <class T>
void GridFold<T>::start(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key) {
  folds_.resize(plan.measurements().size());
  for (const GridPlan::Subset& subset : plan.subsets()) {
    const std::size_t size = subset.sample.size();
    seen_.resize(std::max(size, block_size + slack));
    noise_.resize(std::max(size, block_size + slack));
    for (std::size_t k = 0; k < size; ++k) seen_[k] = row[subset.sample[k]];
    if (has_noise(plan, subset))
      kernel_table().normals_of(noise_key(subset.seed).value(), subset.sample_canonical.data(), size,
                                noise_.data());
    sample_.resize(size);
    for (const std::size_t measurement : subset.measurements) {
      if (const double sd = noise_sd(plan.measurements()[measurement]); sd != 0)
        kernels<T>().add_noise(seen_.data(), noise_.data(), sd, size, sample_.data());
      else
        std::copy_n(seen_.begin(), size, sample_.begin());
      folds_[measurement].start(subset.units.count(), sample_);
    }
  }
}

template <class T>
void GridFold<T>::pass(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key,
                       const OnBlock& on_block) {
  const Kernels<T>& kernel = kernels<T>();
  seen_noise_.resize(block_size + slack);
  noisy_.resize(block_size);
  const auto pending = [&](std::size_t measurement) { return !folds_[measurement].done(); };
  for (std::size_t begin = 0; begin < row.size(); begin += block_size) {
    const std::span<const T> block = row.block(begin, std::min(block_size, row.size() - begin), block_);
    if (on_block) on_block(block, begin);
    bool drawn = false;
    std::uint64_t drawn_seed = 0;
    for (const GridPlan::Subset& subset : plan.subsets()) {
      if (std::ranges::none_of(subset.measurements, pending)) continue;
      const bool noise = has_noise(plan, subset);
      if (noise && (!drawn || drawn_seed != subset.seed)) {
        kernel_table().normals(noise_key(subset.seed).value(), plan.order(), begin, block.size(),
                               noise_.data());
        drawn = true;
        drawn_seed = subset.seed;
      }
      std::span<const T> seen = block;
      const float* seen_noise = noise_.data();
      if (!subset.units.all()) {
        const std::uint8_t* bits = subset.units.bits() + begin / 8;
        const std::size_t count = kernel.compress(block.data(), bits, block.size(), seen_.data());
        seen = std::span<const T>(seen_.data(), count);
        if (noise) {
          kernels<float>().compress(noise_.data(), bits, block.size(), seen_noise_.data());
          seen_noise = seen_noise_.data();
        }
      }
      for (const std::size_t measurement : subset.measurements) {
        if (!pending(measurement)) continue;
        if (const double sd = noise_sd(plan.measurements()[measurement]); sd != 0) {
          kernel.add_noise(seen.data(), seen_noise, sd, seen.size(), noisy_.data());
          folds_[measurement].add(std::span<const T>(noisy_.data(), seen.size()));
        } else {
          folds_[measurement].add(seen);
        }
      }
    }
  }
  for (SetFold<T>& fold : folds_)
    if (!fold.done()) fold.end_pass(buffers_);
}

/// A set with lost units (NaN): as many of the rest are kept as of a set of that size, in order of the
/// hashes.
template <class T>
void GridFold<T>::measure_present(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key,
                                  std::span<Distribution> results) {
  folds_.resize(plan.measurements().size());
  std::vector<std::uint32_t> units;  // memory indices
  for (const GridPlan::Subset& subset : plan.subsets()) {
    units.clear();
    for (std::size_t i = 0; i < row.size(); ++i)
      if (!std::isnan(row[i])) units.push_back(static_cast<std::uint32_t>(i));
    const Imperfection& first = plan.measurements()[subset.measurements.front()];
    const std::int64_t kept = first.kept(std::ssize(units));
    if (kept < std::ssize(units)) {
      const auto hash = [&](std::uint32_t unit) {
        return UnitSubset::hash(plan.size(), first.subset_seed(), plan.order().canonical_index(unit));
      };
      std::ranges::nth_element(units, units.begin() + kept, {}, hash);
      units.resize(to_size(kept));
      std::ranges::sort(units);
    }
    std::vector<T> values(units.size()), noisy(units.size());
    std::ranges::transform(units, values.begin(), [&](std::uint32_t unit) { return row[unit]; });
    std::vector<float> noise(units.size());
    if (has_noise(plan, subset)) {
      std::vector<std::uint32_t> canonical(units.size());
      std::ranges::transform(units, canonical.begin(), [&](std::uint32_t unit) {
        return static_cast<std::uint32_t>(plan.order().canonical_index(unit));
      });
      kernel_table().normals_of(noise_key(subset.seed).value(), canonical.data(), canonical.size(),
                                noise.data());
    }
    for (const std::size_t measurement : subset.measurements) {
      const double sd = noise_sd(plan.measurements()[measurement]);
      if (sd != 0) kernels<T>().add_noise(values.data(), noise.data(), sd, values.size(), noisy.data());
      results[measurement] =
          describe_with(folds_[measurement], std::span<const T>(sd != 0 ? noisy : values), sample_, buffers_);
    }
  }
}

template class Row<float>;
template class Row<double>;
template class GridFold<float>;
template class GridFold<double>;

}  // namespace lrid::stats
