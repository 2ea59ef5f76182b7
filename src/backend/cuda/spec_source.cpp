// Writes a cell's constants and its target program as C++: one statement per operation, the very functions that the CPU's interpreter
// calls.
#include "backend/cuda/spec_source.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <string_view>
#include <vector>

namespace limrisk::cuda {
namespace {

using kernels::Instruction;
using kernels::Op;

/// A number as C++ reads it back exactly.
std::string literal(double value) { return fmt::format("{:a}", value); }

/// Enumerators are written by number: their names would be a second list to keep.
template <class Enum>
std::string enumerator(std::string_view type, Enum value) {
    return fmt::format("static_cast<limrisk::kernels::{}>({})", type, static_cast<int>(value));
}

/// The expression of one operation on the operands a (and b).
std::string operation(const Instruction& instruction, const std::string& a, const std::string& b) {
    const auto truth = [](const std::string& condition) { return fmt::format("select({}, splat<V>(1), splat<V>(0))", condition); };
    switch (instruction.op) {
        case Op::Add:
            return fmt::format("{} + {}", a, b);
        case Op::Subtract:
            return fmt::format("{} - {}", a, b);
        case Op::Multiply:
            return fmt::format("{} * {}", a, b);
        case Op::Divide:
            return fmt::format("{} / {}", a, b);
        case Op::Negate:
            return fmt::format("-{}", a);
        case Op::Power:
            return fmt::format("real_power({}, {})", a, b);
        case Op::IntegerPower:
            return fmt::format("integer_power({}, {})", a, instruction.index);
        case Op::Abs:
            return fmt::format("abs({})", a);
        case Op::Minimum:
            return fmt::format("select(less({1}, {0}), {1}, {0})", a, b);
        case Op::Maximum:
            return fmt::format("select(less({0}, {1}), {1}, {0})", a, b);
        case Op::Sqrt:
            return fmt::format("sqrt({})", a);
        case Op::Exp:
            return fmt::format("exp({})", a);
        case Op::Log:
            return fmt::format("log({})", a);
        case Op::Sin:
            return fmt::format("sin({})", a);
        case Op::Cos:
            return fmt::format("cos({})", a);
        case Op::Tanh:
            return fmt::format("tanh({})", a);
        case Op::Less:
            return truth(fmt::format("less({}, {})", a, b));
        case Op::LessEqual:
            return truth(fmt::format("less_equal({}, {})", a, b));
        case Op::Greater:
            return truth(fmt::format("less({1}, {0})", a, b));
        case Op::GreaterEqual:
            return truth(fmt::format("less_equal({1}, {0})", a, b));
        case Op::Equal:
            return truth(fmt::format("equal({}, {})", a, b));
        case Op::NotEqual:
            return truth(fmt::format("negate(equal({}, {}))", a, b));
        case Op::Constant:
            return fmt::format("splat<V>({})", literal(instruction.value));
        case Op::Variable:
            return fmt::format("x[{}]", instruction.index);
        case Op::If:
            break;
    }
    return {};
}

/// The body of Spec::target, or of another function of the input: t0, t1, … in the order of the program.
std::string target_body(const kernels::Program& program) {
    std::string body;
    std::vector<std::string> stack;
    for (std::int32_t i = 0; i < program.length; ++i) {
        const Instruction& instruction = program.code[i];
        const auto first = stack.end() - kernels::operand_count(instruction.op);
        const std::vector<std::string> operands(first, stack.end());
        stack.erase(first, stack.end());
        const std::string name = fmt::format("t{}", i);
        const std::string value = instruction.op == Op::If
                                      ? fmt::format("select(equal({}, splat<V>(0)), {}, {})", operands[0], operands[2], operands[1])
                                      : operation(instruction, operands.empty() ? "" : operands[0], operands.size() < 2 ? "" : operands[1]);
        body += fmt::format("        const V {} = {};\n", name, value);
        stack.push_back(name);
    }
    return body + fmt::format("        return {};\n", stack.back());
}

/// What both specs have: precision, dimension, place, target.
std::string common_members(const kernels::Cell& cell, const KernelPlan& plan) {
    return fmt::format(
        R"(    using Real = {};
    static constexpr int dimension = {};
    static constexpr Storage network = {};
    template <class V>
    static V target(const V (&x)[dimension]) {{
{}    }}
)",
        cell.precision == kernels::Precision::Float32 ? "float" : "double", cell.dimension, enumerator("Storage", plan.network),
        target_body(cell.target));
}

/// Whether there is a function of the input beside the target, and that.
std::string function_members(const char* flag, const char* name, const kernels::Program& program) {
    std::string members = fmt::format("    static constexpr bool {} = {};\n", flag, program.length > 0);
    if (program.length == 0) return members;
    return members +
           fmt::format("    template <class V>\n    static V {}(const V (&x)[dimension]) {{\n{}    }}\n", name, target_body(program));
}

std::string members_of(const kernels::Law& law) {
    return fmt::format("{}, {}, {}, {}, {}, {}, {}", enumerator("LawKind", law.kind), literal(law.low), literal(law.high),
                       literal(law.mean), literal(law.deviation), literal(law.p_low), literal(law.p_high));
}

/// What an input is made of. Data points are not drawn: their programs do not depend on the law that holds them.
std::string input_members(const kernels::Cell& cell) {
    if (cell.on_data) return input_members({});
    std::string members = fmt::format(
        "    static constexpr Law input{{{}}};\n    static constexpr InputShape shape = {};\n    static constexpr double radius = {};\n"
        "    static constexpr bool alike = {};\n",
        members_of(cell.input), enumerator("InputShape", cell.shape), literal(cell.radius), cell.coordinates == nullptr);
    if (cell.coordinates == nullptr) return members;
    members += "    static constexpr Law input_of(int k) {\n        constexpr Law laws[] = {\n";
    for (std::int64_t k = 0; k < cell.dimension; ++k) members += fmt::format("            {{{}}},\n", members_of(cell.coordinates[k]));
    return members + "        };\n        return laws[k];\n    }\n";
}

/// Said where it is so: the programs of all other cells do not know of it.
const char* own_points_member(const kernels::Cell& cell) {
    return cell.own_points > 0 ? "    static constexpr bool own_points = true;\n" : "";
}

/// The first lines of a program: `header` and all that it includes.
std::string including(const char* header) { return fmt::format("#define LIMRISK_LANES cuda\n#include \"kernels/{}\"\n", header); }

/// `members` as struct `name`.
std::string structure(const std::string& name, const std::string& members) {
    return fmt::format("namespace limrisk::kernels {{\ninline namespace LIMRISK_LANES {{\nstruct {} {{\n{}}};\n}}\n}}\n", name, members);
}

}  // namespace

CompileJob train_kernel_job(const kernels::Cell& cell, const KernelPlan& plan) {
    const kernels::Optimizer& optimizer = cell.optimizer;
    const kernels::Activation& activation = cell.activation;
    const std::string members =
        common_members(cell, plan) +
        fmt::format(R"(    static constexpr int slots = {}, tile = {}, warps = {};
    static constexpr Activation activation{{{}, {}, {}, {}}};
    static constexpr Loss loss{{{}, {}}};
    static constexpr Storage states = {};
    static constexpr std::int64_t width = {}, batch = {};
    static constexpr Optimizer optimizer{{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}};
    static constexpr Average average{{{}, {}, {}}};
    static constexpr Groups held{{{}, {}, {}, {}{}}};
    static constexpr Law noise{{{}}};
    static constexpr bool several_blocks = {}, fresh_samples = {}, rebroadcast = {}, keeps = {};
)",
                    cell.tile.neurons_per_lane, cell.tile.lanes, plan.warps, enumerator("ActivationKind", activation.kind),
                    literal(activation.first), literal(activation.second), activation.power, enumerator("LossKind", cell.loss.kind),
                    literal(cell.loss.parameter), enumerator("Storage", plan.states), cell.width, cell.batch,
                    enumerator("OptimizerKind", optimizer.kind), literal(optimizer.alpha), literal(optimizer.beta),
                    literal(optimizer.epsilon), optimizer.epsilon_inside, optimizer.bias_correction, optimizer.sum,
                    optimizer.corrected_maximum, optimizer.centered, literal(optimizer.initial_sum), literal(optimizer.momentum_decay),
                    literal(optimizer.weight_decay), optimizer.decoupled, enumerator("AverageKind", cell.average.kind), cell.average.start,
                    literal(cell.average.delta), cell.held.inner_weights, cell.held.inner_biases, cell.held.outer_weights,
                    cell.held.outer_bias, cell.skip ? fmt::format(", {}", cell.held.skip_weights) : "", members_of(cell.noise),
                    cell.several_blocks, cell.fresh_samples, plan.rebroadcast, plan.keeps) +
        function_members("has_noise_factor", "noise_factor", cell.noise_factor) + input_members(cell) +
        (cell.picks == kernels::Picks::None ? ""
                                            : fmt::format("    static constexpr Picks picks = {};\n", enumerator("Picks", cell.picks))) +
        (cell.skip ? "    static constexpr bool skip = true;\n" : "") + own_points_member(cell);
    // Named by what is in it: two cells in one program have different names, and a cell has the same name in every program.
    const std::string number = fmt::format("{:016x}", XXH3_64bits(members.data(), members.size()));
    CompileJob job;
    job.kernel = "limrisk_train_" + number;
    job.source = including("cuda_train.hpp");
    // The code of smooth activations takes so long that the headers do not matter.
    if (kernels::is_piecewise_polynomial(activation.kind)) job.common_bytes = job.source.size();
    job.source += structure("Spec_" + number, members);
    job.source += fmt::format("LIMRISK_TRAIN_KERNEL({}, limrisk::kernels::Spec_{})\n", job.kernel, number);
    return job;
}

std::string evaluate_kernel_source(const kernels::Cell& cell, const KernelPlan& plan) {
    const std::string members = common_members(cell, plan) +
                                fmt::format(
                                    "    static constexpr ActivationKind activation = {};\n    static constexpr LossKind loss = {};\n"
                                    "    static constexpr bool exact_risk = {}, conditioned = {}, holds = {}, averages = {}, on_data = {}, "
                                    "one_law = {}, skip = {};\n",
                                    enumerator("ActivationKind", cell.activation.kind), enumerator("LossKind", cell.loss.kind),
                                    cell.exact_risk, cell.inactive_start >= 0, any(cell.held), any(cell.average), cell.on_data,
                                    cell.shape == kernels::InputShape::Coordinates && cell.coordinates == nullptr, cell.skip) +
                                function_members("has_density", "density", cell.density) + own_points_member(cell);
    return including("fused_step.hpp") + structure("EvaluationSpec", members) + "#include \"kernels/cuda_evaluation.hpp\"\n";
}

}  // namespace limrisk::cuda
