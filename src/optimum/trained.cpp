// The trainer finds the basin, a least-squares method its bottom.
#include "optimum/trained.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <random>
#include <set>

#include "limrisk/error.hpp"
#include "optimum/activation.hpp"
#include "optimum/affine_level.hpp"

namespace limrisk::optimum {
namespace {

CellConfig training_cell(const Problem& problem, std::int64_t width, const TrainingEffort& effort) {
    CellConfig cell;
    static_cast<limrisk::Problem&>(cell) = static_cast<const limrisk::Problem&>(problem);
    cell.activation = problem.activation;
    cell.activation_label = problem.activation_label;
    cell.seed = 0x0971;
    cell.precision = kernels::Precision::Float64;
    cell.width = width;
    cell.initialization = {};
    cell.batch = 128;
    cell.nodes_per_axis = 0;
    if (cell.has_data()) {
        cell.sampling = Sampling::FullBatch;
        cell.batch = cell.data->count;
    }
    cell.optimizer = {kernels::OptimizerKind::Adam, 0.9, 0.999, 1e-8, false, true};
    cell.learning_rate = {0.02, 0.25};
    cell.steps = effort.steps;
    cell.checks = 2;
    cell.tail = 1;
    return cell;
}

/// Fits of v and c that are tried after the descents, and the part of the risk that one must gain for another to follow.
constexpr int most_fits = 20;
constexpr double fit_gain = 1e-9;

/// Which part of A a drawn neuron shows: z = level somewhere in the domain, and up to `steepness` away from it.
struct ShownPart {
    double level = 0, steepness = 1;
};

/// A neuron with z near 0 shows what bends there. Kinks that are all further away are crossed, one at random; what oscillates is shown
/// anywhere, from a small part of a period to many.
template <class Uniform>
ShownPart shown_part(const kernels::Activation& activation, const Uniform& uniform) {
    constexpr double near_zero = 1.5, most_slope = 32, half_period = 3.14159265358979;
    const std::vector<ActivationKink> kinks = activation_kinks(activation);
    const auto far = [&](const ActivationKink& kink) { return std::fabs(kink.at) > near_zero; };
    if (!kinks.empty() && std::all_of(kinks.begin(), kinks.end(), far)) {
        const double level = kinks[static_cast<std::size_t>(uniform() * static_cast<double>(kinks.size()))].at;
        return {level, std::pow(16 * std::fabs(level), uniform())};
    }
    if (oscillates(activation)) return {half_period * (2 * uniform() - 1), std::pow(most_slope, 2 * uniform() - 1)};
    return {};
}

/// The narrower network and a neuron whose kink crosses the domain at random, without effect at first.
Network extended(const Network& narrower, const Problem& problem, std::mt19937_64& engine) {
    Network network = embed(narrower, narrower.width + 1, problem.activation);
    const std::int64_t added = narrower.width;
    const auto uniform = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
    const ShownPart shown = shown_part(problem.activation, uniform);
    double at = 0;
    for (std::int64_t k = 0; k < network.dimension; ++k) {
        const InputLaw law = problem.input.hull(k);
        const bool normal = law.kind == InputLaw::Kind::Normal;
        const double middle = normal ? law.mean : 0.5 * (law.low + law.high),
                     half = normal ? 2 * law.deviation : 0.5 * (law.high - law.low);
        network.weight(added, k) = shown.steepness * (2 * uniform() - 1) / half;
        at += network.weight(added, k) * (middle + half * (2 * uniform() - 1));
    }
    network.bias(added) = shown.level - at;
    network.outer(added) = 1e-3 * (2 * uniform() - 1);
    return network;
}

/// Trains replicas; nothing if it would take longer than until `deadline` on the clock.
std::vector<FinalState> train(const CellConfig& cell, Backend& backend, std::int64_t replicas, std::vector<std::size_t>& order,
                              const SearchClock& clock, double deadline, const std::function<void()>& shown) {
    const CellPlan plan(cell);
    WorkStatus status;
    std::future<std::optional<BlockResult>> result = std::async(std::launch::async, [&] {
        return backend.run({&plan, 0, replicas}, status, {.checks = false, .states = true});
    });
    while (result.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
        if (clock.stopped() || clock.elapsed() > deadline) status.abandon = true;
        shown();
    }
    std::optional<BlockResult> block = result.get();
    clock.poll();
    order.clear();
    if (!block) return {};
    if (block->states.size() != static_cast<std::size_t>(replicas)) throw Defect("the backend returned no networks");
    for (std::size_t i = 0; i < block->records.size(); ++i)
        if (std::isfinite(block->records[i].final_risk)) order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return block->records[a].final_risk < block->records[b].final_risk; });
    return std::move(block->states);
}

/// The parameters of the best replicas. They get at most a third of the time: how long they take is seen from a twentieth of the steps.
std::vector<std::vector<double>> trained_starts(const Problem& problem, std::int64_t width, const TrainingEffort& effort, Backend& backend,
                                                const SearchClock& clock, const std::function<void()>& shown) {
    CellConfig cell = training_cell(problem, width, effort);
    cell.steps = std::max<std::int64_t>(1, effort.steps / 20);
    std::vector<std::size_t> order;
    const double before = clock.elapsed();
    std::vector<FinalState> states = train(cell, backend, effort.replicas, order, clock, clock.seconds() / 3, shown);
    const double step_seconds = (clock.elapsed() - before) / static_cast<double>(cell.steps);
    const double affordable = (clock.seconds() / 3 - clock.elapsed()) / step_seconds;
    if (affordable > 2 * static_cast<double>(cell.steps)) {
        cell.steps = static_cast<std::int64_t>(std::min(affordable, static_cast<double>(effort.steps)));
        states = train(cell, backend, effort.replicas, order, clock, clock.seconds() / 2, shown);
    }
    std::vector<std::vector<double>> starts;
    for (const std::size_t i : order)
        if (static_cast<std::int64_t>(starts.size()) < effort.polished) starts.push_back(std::move(states[i].parameters));
    return starts;
}

/// Whether the ends at the least risk are enough evidence. `kinds`: of the start of each end.
bool agree(const std::vector<Polished>& ends, const std::vector<int>& kinds, const TrainingEffort& effort) {
    if (static_cast<int>(ends.size()) < effort.least) return false;
    double best = HUGE_VAL;
    for (const Polished& end : ends) best = std::min(best, end.risk);
    int count = 0;
    std::set<int> seen;
    for (std::size_t i = 0; i < ends.size(); ++i)
        if (ends[i].risk <= best * (1 + trained_tolerance)) ++count, seen.insert(kinds[i]);
    return count >= effort.agreeing && seen.size() >= 2;
}

}  // namespace

TrainedEnds search_by_training(const ConfirmedRisk& confirmed, std::int64_t width, const Network* narrower, const Network* teacher,
                               Backend& backend, const TrainingEffort& effort, const SearchClock& clock,
                               const std::function<void(double share)>& progress) {
    const TrueRisk& risk = confirmed.fit();
    const Problem& problem = risk.problem();
    const auto is_zero = [&](const Polished& end) { return risk.is_zero(end.risk) && risk.is_zero(confirmed.choice(end.network)); };
    TrainedEnds found;
    std::vector<int> kinds;
    const std::int64_t all = effort.polished + effort.drawn + (narrower != nullptr ? effort.extensions : 0);
    const auto shown = [&] {
        const double tried = static_cast<double>(found.ends.size()) / static_cast<double>(std::max<std::int64_t>(1, all));
        if (progress) progress(std::min(1.0, std::max(tried, clock.elapsed() / clock.seconds())));
    };
    for (const Network* given : {narrower, teacher}) {
        if (given == nullptr || !found.ended.empty()) continue;
        Network inherited = embed(*given, width, problem.activation);
        const double value = risk(inherited);
        found.ends.push_back({std::move(inherited), value});
        kinds.push_back(-1);
        if (is_zero(found.ends.back())) found.ended = "zero";
    }
    // A descent comes near to an affine target only slowly: its neuron leaves the domain.
    if (const std::optional<Network> affine = width > 0 ? affine_network(risk) : std::nullopt) {
        Network wide = embed(*affine, width, problem.activation);
        Polished end{wide, risk(wide)};
        if (is_zero(end)) {
            found.ends.push_back(std::move(end));
            kinds.push_back(-1);
            found.ended = "zero";
        }
    }
    std::mt19937_64 engine(static_cast<std::uint64_t>(width));
    std::vector<std::vector<double>> trained;
    if (found.ended.empty()) trained = trained_starts(problem, width, effort, backend, clock, shown);
    std::int64_t next[3] = {0, 0, 0};
    const std::int64_t counts[3] = {narrower != nullptr ? effort.extensions : 0, static_cast<std::int64_t>(trained.size()), effort.drawn};
    const auto start = [&](int kind) -> Network {
        const std::int64_t i = next[kind]++;
        if (kind == 0) return extended(*narrower, problem, engine);
        if (kind == 1) return {width, problem.input.dimension, trained[static_cast<std::size_t>(i)]};
        Network network(0, problem.input.dimension);
        for (std::int64_t h = 0; h < width; ++h) network = extended(network, problem, engine);
        return risk.with_best_outer(network);
    };
    while (found.ended.empty()) {
        bool any = false;
        for (int kind = 0; kind < 3 && found.ended.empty(); ++kind) {
            if (next[kind] >= counts[kind]) continue;
            any = true;
            found.ends.push_back(polish(risk, start(kind), clock));
            kinds.push_back(kind);
            if (!std::isfinite(found.ends.back().risk)) found.ends.pop_back(), kinds.pop_back();
            shown();
            if (clock.over())
                found.ended = "time";
            else if (!found.ends.empty() && is_zero(found.ends.back()))
                found.ended = "zero";
            else if (agree(found.ends, kinds, effort))
                found.ended = "agreement";
        }
        if (!any) found.ended = "starts";
    }
    if (found.ended == "time" && width > 0) {
        // What is cut short is no worse than the best affine function.
        if (const std::optional<Network> affine = nearly_affine_network(risk)) {
            Network wide = embed(*affine, width, problem.activation);
            const double value = risk(wide);
            if (std::isfinite(value)) found.ends.push_back({std::move(wide), value});
        }
    }
    const auto less = [](const Polished& a, const Polished& b) { return a.risk < b.risk; };
    // A descent may end where the risk is not differentiable, though v and c could still be better.
    for (int k = 0; k < most_fits && !found.ends.empty(); ++k) {
        const auto best = std::min_element(found.ends.begin(), found.ends.end(), less);
        const Network fitted = risk.with_best_outer(best->network);
        if (!(risk(fitted) < best->risk * (1 - fit_gain))) break;
        Polished end = polish(risk, fitted, clock);
        if (!(end.risk < risk(fitted))) end = {fitted, risk(fitted)};
        *best = std::move(end);
    }
    std::stable_sort(found.ends.begin(), found.ends.end(), less);
    return found;
}

}  // namespace limrisk::optimum
