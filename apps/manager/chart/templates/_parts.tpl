{{/* There is one manager in a cluster, as its kinds are: so its objects have fixed names. */}}
{{- define "rfo-manager.selector" -}}
app.kubernetes.io/name: rfo-manager
{{- end }}

{{- define "rfo-manager.labels" -}}
{{ include "rfo-manager.selector" . }}
app.kubernetes.io/part-of: rfo
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "rfo-manager.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* Whose definitions it may bring in line. */}}
{{- define "rfo-manager.kinds" -}}
- auditsegments
- authproviders
- clusters
- globalrolebindings
- projects
- roletemplates
- settings
- tokens
- users
{{- end }}
