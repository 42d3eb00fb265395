from safeload.errors import MissingCustomObjectError


class T:
    def __init__(s, m, n):
        s.module = m
        s.name = n


class NaiveResolver:
    def __init__(self, keras, co):
        self.keras = keras
        self.custom_objects = dict(co)
        reg = (
            keras.saving.get_custom_objects()
            if hasattr(keras, "saving") and hasattr(keras.saving, "get_custom_objects")
            else keras.utils.get_custom_objects()
        )
        self.custom_objects = {**reg, **self.custom_objects}

    def target(self, node, where):
        n = node["class_name"]
        fn = n == "function"
        if fn:
            n = node["config"]
        for key in (node.get("registered_name"), n):
            if key in self.custom_objects:
                return T(None, key)
        for key in self.custom_objects:
            if key.split(">")[-1] == n:
                return T(None, key)
        if n in ("Functional",):
            return (
                T("keras", "Model")
                if False
                else T("keras.src.models.functional", "Functional")
                if self.keras.__name__ == "keras" and self.keras.__version__ > "3"
                else T("keras", "Model")
            )
        k = self.keras
        for m in (
            "",
            "layers",
            "initializers",
            "regularizers",
            "constraints",
            "losses",
            "metrics",
            "optimizers",
            "optimizers.schedules",
            "activations",
            "dtype_policies",
        ):
            o = k
            for p in filter(None, m.split(".")):
                o = getattr(o, p, None)
            if o is not None and hasattr(o, n) and (m or n in ("Sequential", "Model", "DTypePolicy")):
                return T("keras." + m if m else "keras", n)
        raise MissingCustomObjectError(n, where=where)
