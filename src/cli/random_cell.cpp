// Draws shapes, laws, samplings and targets. The distributions are written out, since the standard ones differ between libraries.
#include "cli/random_cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string_view>
#include <vector>

#include "analysis/prediction.hpp"
#include "campaign/campaign.hpp"
#include "campaign/catalog.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cli {
namespace {

class Draw {
public:
    Draw(std::uint64_t seed, std::int64_t index) : generator_(seed * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(index)) {}
    std::int64_t below(std::int64_t end) { return static_cast<std::int64_t>(generator_() % static_cast<std::uint64_t>(end)); }
    bool chance(std::int64_t one_in) { return below(one_in) == 0; }
    template <class Value>
    Value of(const std::vector<Value>& values) {
        return values[static_cast<std::size_t>(below(static_cast<std::int64_t>(values.size())))];
    }

private:
    std::mt19937_64 generator_;
};

/// ", name = value" for every parameter of a row of an activation, optimizer or loss, with one of its examples.
template <class Parameters>
std::string example_parameters(const Parameters& parameters, std::size_t k) {
    std::string text;
    for (const auto& parameter : parameters) {
        if (parameter.name == nullptr) continue;
        const double value = parameter.examples[k];
        text += fmt::format(", {} = {}", parameter.name,
                            parameter.words[0] != nullptr ? fmt::format("\"{}\"", parameter.words[value != 0 ? 1 : 0])
                            : parameter.truth != nullptr  ? fmt::format("{}", value != 0)
                                                          : fmt::format("{}", value));
    }
    return text;
}

std::size_t example(Draw& draw) { return static_cast<std::size_t>(draw.below(kernels::example_count)); }

std::string activation(std::int64_t kind, Draw& draw) {
    const kernels::ActivationTraits& traits = kernels::activation_table[kind];
    return fmt::format("{{ name = \"{}\"{} }}", traits.name, example_parameters(traits.parameters, example(draw)));
}

std::string optimizer(std::int64_t kind, bool on_cpu, Draw& draw) {
    std::vector<std::string> rates{
        "0.05",
        "0.003",
        "{ schedule = \"polynomial\", initial = 0.1, power = 0.6 }",
        "{ schedule = \"polynomial\", initial = 0.1, power = 0.6, warmup = 5 }",
        "{ schedule = \"step\", initial = 0.05, factor = 0.5, every = 7 }",
        "{ schedule = \"exponential\", initial = 0.05, factor = 0.9, warmup = 3, warmup_start = 0.25 }",
        "{ schedule = \"inverse_time\", initial = 0.05, factor = 0.5, every = 4 }",
        "{ schedule = \"cosine\", initial = 0.05, period = 17, last = 0.001 }",
        "{ schedule = \"piecewise\", initial = 0.05, from_1 = 5, rate_1 = 0.02 }",
    };
    if (on_cpu) {
        rates.emplace_back("{ schedule = \"adaptive\", initial = 0.1, patience = 1, threshold = 0.05, least = 0.004 }");
        rates.emplace_back("{ schedule = \"search\", initial = 0.1, patience = 1, threshold = 0.05, rates = 3, search_steps = 4 }");
    }
    const std::string rate = draw.of(rates);
    const kernels::OptimizerTraits& traits = kernels::optimizer_table[kind];
    const std::size_t k = example(draw);
    return fmt::format("{{ name = \"{}\", learning_rate = {}{}{} }}", traits.name, rate, example_parameters(traits.parameters, k),
                       example_parameters(kernels::common_optimizer_parameters, k));
}

std::string initialization(bool outer_bias, Draw& draw) {
    const std::string name = draw.of(initialization_catalog().names());
    if (name == "groups")
        return fmt::format("{{ w = {}, b = {}, v = {}, c = \"{}\" }}",
                           draw.of<std::string>({"{ law = \"normal\", scale = \"h^(-4/15)\" }",
                                                 "{ law = \"uniform\", scale = \"1/sqrt(d)\" }", "{ law = \"constant\", value = 0.5 }"}),
                           draw.of<std::string>({"\"zero\"", "{ law = \"uniform\", low = -1, high = \"d/2\" }", "\"normal(0.5)\""}),
                           draw.of<std::string>({"{ law = \"constant\", value = \"-1/h\" }", "{ law = \"normal\", scale = \"1/h\" }"}),
                           outer_bias ? draw.of<std::string>({"zero", "constant(0.25)"}) : "zero");
    const std::string_view numbers = name == "uniform"          ? ", low = -0.75, high = 1.0"
                                     : name == "orthogonal"     ? ", gain = 1.5"
                                     : name == "data_dependent" ? ", spread = 0.25"
                                                                : "";
    const std::vector<Parameter>& parameters = initialization_catalog().find(name)->parameters;
    const bool biased =
        std::any_of(parameters.begin(), parameters.end(), [](const Parameter& p) { return std::string_view(p.name) == "bias"; });
    return fmt::format("{{ name = \"{}\"{}{} }}", name, numbers,
                       !biased          ? ""
                       : draw.chance(3) ? ", bias = \"zero\""
                                        : ", bias = \"drawn\"");
}

/// Given parameters, the same for all trials.
std::string initial(std::int64_t width, std::int64_t dimension, bool outer_bias, Draw& draw) {
    const auto list = [&](std::int64_t count) {
        std::string numbers;
        for (std::int64_t k = 0; k < count; ++k)
            numbers += fmt::format("{}{}", k == 0 ? "" : ", ", static_cast<double>(draw.below(2001)) / 777 - 1.25);
        return "[" + numbers + "]";
    };
    std::string w;
    for (std::int64_t i = 0; i < width; ++i) w += (i == 0 ? "" : ", ") + list(dimension);
    return fmt::format("{{ w = [{}], b = {}, v = {}, c = {} }}", w, list(width), list(width), outer_bias ? "0.3" : "0");
}

std::string input(std::int64_t dimension, bool boxed, Draw& draw) {
    std::string box = draw.of<std::string>({"low = 0.0, high = 1.0", "low = -1.0, high = 2.0"});
    if (dimension > 1 && draw.chance(3)) {  // ends per coordinate
        std::string lows, highs;
        for (std::int64_t k = 0; k < dimension; ++k) {
            lows += draw.of<std::string>({"-1.0, ", "0.0, ", "-0.25, "});
            highs += draw.of<std::string>({"1.0, ", "0.5, ", "2.0, "});
        }
        box = fmt::format("low = [{}], high = [{}]", lows, highs);
    }
    if (!boxed && draw.chance(6)) {
        if (dimension == 1 && draw.chance(2))
            return fmt::format("{{ law = \"density\", density = \"{}\", {} }}", draw.of<std::string>({"1 + x^2", "abs(x)", "exp(-x)"}),
                               box);
        return fmt::format("{{ law = \"beta\", dimension = {}, {}, {} }}", dimension,
                           draw.of<std::string>({"a = 2.0, b = 5.0", "a = 1.5, b = 1.0"}), box);
    }
    switch (draw.below(boxed ? 2 : dimension == 1 ? 3 : 5)) {
        case 0:
            return fmt::format("{{ law = \"uniform\", dimension = {}, {} }}", dimension, box);
        case 1:
            return fmt::format("{{ law = \"normal\", dimension = {}, mean = 0.25, deviation = 0.5, {} }}", dimension, box);
        case 2:
            return fmt::format("{{ law = \"normal\", dimension = {}, mean = 0.0, deviation = 1.0 }}", dimension);
        default:
            return fmt::format("{{ law = \"{}\", dimension = {}, radius = {} }}", draw.chance(2) ? "sphere" : "ball", dimension,
                               draw.of<std::string>({"1.0", "0.75", "2.5"}));
    }
}

std::string target(std::int64_t dimension, Draw& draw) {
    if (dimension <= 7 && draw.chance(5))  // as an expression it must not be too long
        return fmt::format("{{ teacher = {{ width = {}, initialization = \"standard_normal\", seed = {} }} }}", 1 + draw.below(3),
                           draw.below(1000));
    const std::string first = draw.of<std::string>({"x1^2 + 2*x1", "abs(x1 - 0.3)", "sin(3*x1) * exp(-x1)", "if(x1 < 0.5, x1, 1 - x1)",
                                                    "tanh(4*x1) + sqrt(abs(x1))", "max(x1, 0.2) - min(x1, 0.7)", "log(1.5 + cos(x1))"});
    return dimension == 1 ? fmt::format("\"{}\"", first) : fmt::format("\"{} + x1*x{}\"", first, dimension);
}

std::string noise(Draw& draw) {
    return draw.of<std::string>({"", "", "", "", "noise = { law = \"normal\", deviation = 0.5 }\n",
                                 "noise = { law = \"uniform\", low = -0.25, high = 0.5 }\n",
                                 "noise = { law = \"two_point\", low = 0.0, high = 1.0, probability = 0.25 }\n",
                                 "noise = { law = \"exponential\", deviation = 0.25 }\n"});
}

/// Points that all trials share: `count` of them in a list, or drawn from what the problem says beside.
std::string data_points(std::int64_t dimension, std::int64_t count, bool drawn, Draw& draw) {
    const std::string held_out = count >= 4 && draw.chance(3) ? ", holdout = 0.3" : "";
    if (drawn) return fmt::format("data = {{ draw = {}, seed = {}{} }}\n", count, draw.below(1000), held_out);
    std::string points, weights;
    for (std::int64_t i = 0; i < count; ++i) {
        std::string point;
        for (std::int64_t k = 0; k <= dimension; ++k)
            point += fmt::format("{}{}", k == 0 ? "" : ", ", static_cast<double>(draw.below(129)) / 48 - 1.25);
        points += fmt::format("{}[{}]", i == 0 ? "" : ", ", point);
        weights += fmt::format("{}{}", i == 0 ? "" : ", ", 0.5 + static_cast<double>(draw.below(5)));
    }
    return fmt::format("data = {{ points = [{}]{}{} }}\n", points, draw.chance(2) ? fmt::format(", weights = [{}]", weights) : "",
                       held_out);
}

std::string loss(Draw& draw) {
    const kernels::LossTraits& traits = kernels::loss_table[draw.below(kernels::loss_count)];
    return fmt::format("loss = {{ name = \"{}\"{} }}\n", traits.name, example_parameters(traits.parameters, example(draw)));
}

bool is_campaign(const std::string& text) {
    try {
        check_conditions(parse_campaign(text, "self test"));
        return true;
    } catch (const ConfigError&) {
        return false;
    }
}

/// A condition on the start, if the cell can have the one that is drawn.
void add_condition(std::string& text, std::int64_t width, Draw& draw) {
    const std::int64_t inactive = draw.chance(2) ? 0 : draw.below(width + 1);
    constexpr std::string_view table = "[network]\n";
    std::string with = text;
    with.insert(with.find(table) + table.size(), fmt::format("condition = {{ inactive_neurons = {} }}\n", inactive));
    if (is_campaign(with)) text = with;
}

void add_average(std::string& text, std::int64_t steps, Draw& draw) {
    constexpr std::string_view behind_training = "[tracking]\n";
    const bool stops = text.find("[stop]") != std::string::npos;
    const std::string average = draw.of<std::string>({fmt::format("arithmetic({})", draw.below(steps)), "exponential(0.9)",
                                                      "exponential(0.999)", stops ? "arithmetic" : "partial(0.4)"});
    text.insert(text.find(behind_training), fmt::format("average = \"{}\"\n", average));
}

/// A skip connection, if the cell can have one as it is.
void add_skip(std::string& text, std::int64_t dimension, Draw& draw) {
    constexpr std::string_view table = "[network]\n", given = "initial = { ";
    std::string with = text;
    if (const std::size_t place = with.find(given); place != std::string::npos) {
        std::string weights;
        for (std::int64_t k = 0; k < dimension; ++k) weights += fmt::format("{}{}", k == 0 ? "" : ", ", draw.of<double>({0.5, -0.25, 0.1}));
        with.insert(place + given.size(), fmt::format("u = [{}], ", weights));
    }
    with.insert(with.find(table) + table.size(), "skip = true\n");
    if (is_campaign(with)) text = with;
}

}  // namespace

RandomCell random_cell(std::uint64_t seed, std::int64_t index, bool on_cpu) {
    Draw draw(seed, index);
    constexpr std::int64_t activations = kernels::activation_count;
    const std::int64_t combination = index % random_cell_combinations;
    const std::int64_t dimension = draw.of<std::int64_t>({1, 1, 1, 2, 2, 3, 4, 5, 7, 16, 33, 64});
    const bool nodes = dimension <= 3 && draw.chance(4);
    const bool data = !nodes && draw.chance(4), drawn = data && draw.chance(2);
    const std::string sampling = data    ? draw.of<std::string>({"\"full_batch\"", "\"with_replacement\"", "\"epochs\""})
                                 : nodes ? fmt::format("{{ nodes = {} }}", dimension == 1 ? 1 + draw.below(70) : 1 + draw.below(4))
                                         : "\"fresh\"";
    const std::int64_t steps = 1 + draw.below(40);
    const std::int64_t checks = 1 + draw.below(std::min<std::int64_t>(steps, 6));
    const std::int64_t trials = 1 + draw.below(37);
    std::string text = fmt::format("name = \"self test {}\"\nseed = {}\ntrials = {}\nsteps = {}\nprecision = \"{}\"\n", index,
                                   draw.below(1000000), trials, steps, combination % 2 == 0 ? "float32" : "float64");
    text += "[problem]\n";
    if (data) text += data_points(dimension, 1 + draw.below(dimension >= 16 ? 15 : 70), drawn, draw);
    if (!data || drawn) text += fmt::format("input = {}\ntarget = {}\n", input(dimension, nodes, draw), target(dimension, draw));
    const std::string noisy = nodes || (data && !drawn) ? "" : noise(draw), of_residual = loss(draw);
    const bool squared = !noisy.empty() || of_residual.find("squared") != std::string::npos;
    text += noisy.empty() ? of_residual : noisy;
    // Many dimensions with few neurons and samples: the portable lanes emulate fma and are slow.
    const bool high = dimension >= 16;
    const std::int64_t width =
        high ? draw.of<std::int64_t>({0, 1, 3, 5, 31, 33}) : draw.of<std::int64_t>({0, 1, 2, 3, 5, 8, 13, 31, 32, 33, 64, 100, 257});
    const bool outer_bias = !draw.chance(5);
    const bool given = !nodes && sampling != "\"full_batch\"" && width > 0 && width * dimension <= 128 && draw.chance(5);
    const bool has_density = text.find("law = \"beta\"") != std::string::npos || text.find("law = \"density\"") != std::string::npos;
    std::string start = initialization(outer_bias, draw);
    while (has_density && start.find("data_dependent") != std::string::npos)
        start = initialization(outer_bias, draw);  // it cannot draw inputs
    text += fmt::format("[network]\nwidth = {}\nactivation = {}\n{} = {}\n", width, activation(combination / 2 % activations, draw),
                        given ? "initial" : "initialization", given ? initial(width, dimension, outer_bias, draw) : start);
    if (!outer_bias) text += "outer_bias = false\n";
    if (draw.chance(4))
        text += fmt::format("trainable = \"{}\"\n", draw.of<std::string>(outer_bias ? std::vector<std::string>{"b", "wb", "v", "vc", "bvc"}
                                                                                    : std::vector<std::string>{"b", "wb", "v", "bv"}));
    text += fmt::format("[training]\nsampling = {}\n", sampling);
    if (!nodes && sampling != "\"full_batch\"") text += fmt::format("batch = {}\n", 1 + draw.below(high || width > 100 ? 15 : 70));
    text += fmt::format("optimizer = {}\n", optimizer(combination / 2 / activations, on_cpu, draw));
    const std::int64_t tail = 1 + draw.below(checks);
    text += fmt::format("[tracking]\nchecks = {}\ntail = {}\n", checks, tail);
    const bool kinks = on_cpu && draw.chance(2) && is_campaign(text + "kinks = true\n");
    if (kinks) text += "kinks = true\n";
    const std::int64_t check_nodes = dimension <= 2 ? 16 : dimension == 3 ? 4 : 64;
    if (!data) {
        text += fmt::format("[evaluation]\nnodes = {}\n", check_nodes);
        if (dimension >= 2 || !squared) text += fmt::format("final_nodes = {}\n", dimension <= 2 ? 20 : dimension == 3 ? 8 : 128);
    }
    if (draw.chance(4)) {  // trials that end early, some at once
        const std::string threshold = draw.of<std::string>({"0.01", "0.1", "1.0"});
        const bool windows = tail >= 2 && 2 * tail <= checks;
        text += fmt::format("[stop]\n{} = {}\nconverged = {}\n", draw.chance(2) ? "risk_below" : "gradient_below", threshold, windows);
        if (draw.chance(2) && is_campaign(text + "all_inactive = true\n")) text += "all_inactive = true\n";
        if (kinks && draw.chance(2) && is_campaign(text + "kinks_crossed = true\n")) text += "kinks_crossed = true\n";
        if (on_cpu && is_campaign(text + "proved = true\n")) text += "proved = true\n";
    }
    if (draw.chance(3)) add_condition(text, width, draw);
    if (draw.chance(4)) add_average(text, steps, draw);
    if (draw.chance(5)) add_skip(text, dimension, draw);
    return {text, trials};
}

}  // namespace limrisk::cli
