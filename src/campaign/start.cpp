// Lists, and arrays of files, to starts; starts to canonical JSON and back.
#include "campaign/start.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "campaign/cell_description.hpp"
#include "campaign/document.hpp"
#include "campaign/points_file.hpp"
#include "campaign/problems.hpp"
#include "kernels/cell.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr const char* start_forms =
    "{ w = [0.5, -1.0], b = [0.0, 0.3], v = [1.0, 1.0], c = 0.2 }, for d >= 2 with lists of d numbers in w, \"networks.npz\", or "
    "{ file = \"networks.npz\", prefix = \"cell_0_\" }";

[[noreturn]] void refuse_start(const std::string& what) { throw ConfigError({what}); }

/// Finite numbers of a list.
std::vector<double> numbers_of(const Node& node, const std::string& name) {
    if (node.kind != Node::Kind::Array) refuse_start(fmt::format("{} is {}; allowed is a list of numbers", name, node.shown()));
    std::vector<double> numbers;
    for (const Node& item : node.items) {
        const bool number = item.kind == Node::Kind::Integer || item.kind == Node::Kind::Real;
        if (!number || !std::isfinite(item.real))
            refuse_start(fmt::format("{}[{}] is {}; allowed are finite numbers", name, numbers.size(), item.shown()));
        numbers.push_back(item.real);
    }
    return numbers;
}

StartPointer listed_start(const Node& table) {
    for (const char* name : {"w", "b", "v"})
        if (table.find(name) == nullptr)
            refuse_start(fmt::format("no {}; it has w, b, v and, unless it is 0, c; with a skip connection also u", name));
    for (const Member& member : table.members)
        if (member.key != "w" && member.key != "b" && member.key != "v" && member.key != "c" && member.key != "u")
            refuse_start(fmt::format("unknown key `{}`; the keys are w, b, v, c, u, or file, prefix", abbreviated(member.key)));
    const Node& w = *table.find("w");
    if (w.kind != Node::Kind::Array || w.items.empty())
        refuse_start(fmt::format("w is {}; allowed is a list with an entry for each neuron", w.shown()));
    std::vector<double> parameters;
    std::int64_t dimension = 1;
    if (w.items.front().kind == Node::Kind::Array) {
        dimension = static_cast<std::int64_t>(w.items.front().items.size());
        for (std::size_t i = 0; i < w.items.size(); ++i) {
            const std::vector<double> row = numbers_of(w.items[i], fmt::format("w[{}]", i));
            if (static_cast<std::int64_t>(row.size()) != dimension || row.empty())
                refuse_start(fmt::format("w[{}] has {} numbers, w[0] has {}; every neuron needs one for each coordinate of the input", i,
                                         row.size(), dimension));
            parameters.insert(parameters.end(), row.begin(), row.end());
        }
    } else {
        parameters = numbers_of(w, "w");
    }
    const std::size_t width = w.items.size();
    for (const char* name : {"b", "v"}) {
        const std::vector<double> numbers = numbers_of(*table.find(name), name);
        if (numbers.size() != width)
            refuse_start(fmt::format("{} has {} numbers, w has {} neurons; {} needs one for each", name, numbers.size(), width, name));
        parameters.insert(parameters.end(), numbers.begin(), numbers.end());
    }
    const Node* c = table.find("c");
    if (c != nullptr && ((c->kind != Node::Kind::Integer && c->kind != Node::Kind::Real) || !std::isfinite(c->real)))
        refuse_start(fmt::format("c is {}; allowed is a finite number", c->shown()));
    parameters.push_back(c == nullptr ? 0 : c->real);
    const Node* u = table.find("u");
    if (u != nullptr) {
        const std::vector<double> numbers = numbers_of(*u, "u");
        if (static_cast<std::int64_t>(numbers.size()) != dimension)
            refuse_start(
                fmt::format("u has {} numbers; it needs one for each of the {} coordinates of the input", numbers.size(), dimension));
        parameters.insert(parameters.end(), numbers.begin(), numbers.end());
    }
    return make_start(static_cast<std::int64_t>(width), dimension, 0, std::move(parameters), u != nullptr);
}

/// What `limrisk export --parameters` calls the numbers of the trials beside arrays with this prefix: those of a cell have one for all
/// kinds.
std::string trials_name(std::string_view prefix) {
    for (const std::string_view kind : {"initial_", "best_"})
        if (prefix.ends_with(kind)) prefix.remove_suffix(kind.size());
    return std::string(prefix) + "trial";
}

StartPointer start_of_file(const std::string& file, const std::string& prefix) {
    const std::string numbers = trials_name(prefix);
    std::vector<std::string> names{prefix + "w", prefix + "b", prefix + "v", prefix + "c"};
    const std::string bytes = file_bytes(file, "a NPZ file");
    std::vector<WholeArray> skips = npz_arrays(file, bytes, {}, {prefix + "u"});
    std::vector<WholeArray> arrays = npz_arrays(file, bytes, names, {numbers});
    const bool skip = !skips.empty(), numbered = arrays.size() > names.size();
    const std::vector<WholeArray> trial_numbers(arrays.begin() + 4, arrays.end());
    arrays.resize(4);
    if (skip) {
        names.push_back(prefix + "u");
        arrays.push_back(std::move(skips.front()));
    }
    const auto refuse = [&](std::size_t array, const std::string& what) {
        refuse_start(
            fmt::format("{}: array \"{}\" has the shape ({}); {}", file, names[array], fmt::join(arrays[array].shape, ", "), what));
    };
    const std::vector<std::int64_t>& w = arrays[0].shape;
    if (w.size() != 2 && w.size() != 3)
        refuse(0, "allowed are (width, dimension), one start for all trials, and (trials, width, dimension), one for each");
    const bool each = w.size() == 3;
    const std::int64_t trials = each ? w[0] : 1, width = w[w.size() - 2], dimension = w.back();
    if (trials < 1 || width < 1 || dimension < 1) refuse(0, "there must be at least one trial, one neuron and one coordinate");
    for (std::size_t array = 1; array < arrays.size(); ++array) {
        std::vector<std::int64_t> right;
        if (each) right.push_back(trials);
        if (array < 3) right.push_back(width);
        if (array == 4) right.push_back(dimension);
        if (arrays[array].shape != right) refuse(array, fmt::format("with this w it must have ({})", fmt::join(right, ", ")));
    }
    if (numbered && each) {
        const WholeArray& of_trials = trial_numbers.front();
        if (of_trials.shape != std::vector<std::int64_t>{trials})
            refuse_start(fmt::format("{}: array \"{}\" has the shape ({}); with this w it must have ({})", file, numbers,
                                     fmt::join(of_trials.shape, ", "), trials));
        for (std::size_t k = 0; k < of_trials.numbers.size(); ++k)
            if (of_trials.numbers[k] != static_cast<double>(k))
                refuse_start(fmt::format("{}: array \"{}\": the start in row {} is that of trial {}; the trials must be 0, 1, 2, ...", file,
                                         numbers, k, of_trials.numbers[k]));
    }
    std::vector<double> parameters;
    for (std::int64_t trial = 0; trial < trials; ++trial)
        for (const WholeArray& array : arrays) {
            const std::int64_t count = static_cast<std::int64_t>(array.numbers.size()) / trials;
            const auto first = array.numbers.begin() + trial * count;
            parameters.insert(parameters.end(), first, first + count);
        }
    return make_start(width, dimension, each ? trials : 0, std::move(parameters), skip);
}

/// As describe() writes it.
StartPointer described_start(const Node& table) {
    auto start = std::make_shared<Start>();
    const Node* hash = table.find("hash");
    const std::pair<const char*, std::int64_t*> numbers[] = {
        {"dimension", &start->dimension}, {"trials", &start->trials}, {"width", &start->width}};
    const Node* skip = table.find("skip");
    start->skip = skip != nullptr && skip->kind == Node::Kind::Boolean && skip->boolean;
    bool right = table.members.size() == (start->skip ? 5 : 4) && hash != nullptr && hash->kind == Node::Kind::Text;
    for (const auto& [name, number] : numbers) {
        const Node* node = table.find(name);
        right = right && node != nullptr && node->kind == Node::Kind::Integer && node->integer >= 0;
        if (right) *number = node->integer;
    }
    // It is printed as it is.
    right = right && hash->text.size() == 32 && hash->text.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!right) refuse_start("not as limrisk describes a given start");
    start->hash = hash->text;
    return start;
}

std::string hexadecimal(const std::vector<double>& numbers) {
    std::string text;
    text.reserve(16 * numbers.size());
    for (const double number : numbers) {
        std::uint64_t word = std::bit_cast<std::uint64_t>(number);
        for (int byte = 0; byte < 8; ++byte, word >>= 8) {
            text += "0123456789abcdef"[word >> 4 & 15];
            text += "0123456789abcdef"[word & 15];
        }
    }
    return text;
}

std::vector<double> from_hexadecimal(std::string_view text) {
    std::vector<double> numbers;
    for (; text.size() >= 16; text.remove_prefix(16)) {
        std::uint64_t word = 0;
        for (std::size_t byte = 0; byte < 8; ++byte) {
            unsigned value = 0;
            std::from_chars(text.data() + 2 * byte, text.data() + 2 * byte + 2, value, 16);
            word |= static_cast<std::uint64_t>(value) << (8 * byte);
        }
        numbers.push_back(std::bit_cast<double>(word));
    }
    return numbers;
}

}  // namespace

std::string Start::label() const {
    const std::string which = hash.substr(0, 8);
    return trials == 0 ? fmt::format("one given start, {}", which) : fmt::format("{} given starts, {}", trials, which);
}

StartPointer make_start(std::int64_t width, std::int64_t dimension, std::int64_t trials, std::vector<double> parameters, bool skip) {
    const std::int64_t count = kernels::parameter_count(width, dimension, skip);
    const auto numbers = static_cast<std::int64_t>(parameters.size());
    if (numbers != std::max<std::int64_t>(1, trials) * count) throw Defect("a start with other numbers than its shape says");
    if (numbers > most_start_numbers)
        refuse_start(fmt::format("{} numbers; at most {} are allowed, since a store keeps a copy of them: {} trials of this width", numbers,
                                 most_start_numbers, most_start_numbers / count));
    for (std::int64_t j = 0; j < numbers; ++j)
        if (const double number = parameters[static_cast<std::size_t>(j)]; !std::isfinite(number))
            refuse_start(fmt::format("parameter {} of trial {} is {}; allowed are finite numbers", j % count, j / count, number));
    auto start = std::make_shared<Start>();
    start->width = width;
    start->dimension = dimension;
    start->trials = trials;
    start->skip = skip;
    nlohmann::json all{{"dimension", dimension}, {"numbers", hexadecimal(parameters)}, {"trials", trials}, {"width", width}};
    if (skip) all["skip"] = true;
    start->text = all.dump();
    start->hash = cell_id(start->text);
    start->parameters = std::move(parameters);
    return start;
}

StartPointer first_start(const Start& start) {
    const auto count = static_cast<std::ptrdiff_t>(kernels::parameter_count(start.width, start.dimension, start.skip));
    return make_start(start.width, start.dimension, 0, {start.parameters.begin(), start.parameters.begin() + count}, start.skip);
}

StartPointer read_start(const Node& node, const std::string& key, Problems& problems) {
    try {
        if (node.kind == Node::Kind::Text) return start_of_file(node.text, "");
        if (node.kind != Node::Kind::Table) refuse_start(fmt::format("{}; allowed is {}", node.shown(), start_forms));
        if (node.place == description_place) return described_start(node);
        const Node *file = node.find("file"), *prefix = node.find("prefix");
        if (file == nullptr) return listed_start(node);
        if (file->kind != Node::Kind::Text || (prefix != nullptr && prefix->kind != Node::Kind::Text) ||
            node.members.size() != (prefix == nullptr ? 1U : 2U))
            refuse_start(fmt::format("{}; allowed is {}", node.shown(), start_forms));
        return start_of_file(file->text, prefix == nullptr ? "" : prefix->text);
    } catch (const ConfigError& error) {
        problems.add(node.place, key, error.problems().front());
        return nullptr;
    }
}

void resolve_start_files(Node& node, const std::filesystem::path& directory) {
    for (Node& item : node.items) resolve_start_files(item, directory);
    Node* file = node.kind == Node::Kind::Table ? node.find("file") : &node;
    if (file != nullptr && file->kind == Node::Kind::Text) file->text = (directory / file->text).string();
}

StartPointer start_from_text(std::string_view text) {
    const auto wrong = [] { refuse_start("the stored start is not as limrisk writes it"); };
    try {
        const nlohmann::json all = nlohmann::json::parse(text);
        const auto width = all.at("width").get<std::int64_t>(), dimension = all.at("dimension").get<std::int64_t>(),
                   trials = all.at("trials").get<std::int64_t>();
        const bool skip = all.value("skip", false);
        std::vector<double> numbers = from_hexadecimal(all.at("numbers").get_ref<const std::string&>());
        constexpr std::int64_t most = most_start_numbers;
        if (width < 1 || dimension < 1 || trials < 0 || width > most || dimension > most || trials > most || width * (dimension + 2) > most)
            wrong();
        if (static_cast<std::int64_t>(numbers.size()) !=
            std::max<std::int64_t>(1, trials) * kernels::parameter_count(width, dimension, skip))
            wrong();
        StartPointer start = make_start(width, dimension, trials, std::move(numbers), skip);
        if (start->text != text) wrong();
        return start;
    } catch (const nlohmann::json::exception&) {
        wrong();
    }
    return nullptr;
}

}  // namespace limrisk
